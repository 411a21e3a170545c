// The operator's rules for one place: what is asked of tokens there, on top of what each issuer's policy asks everywhere,
// and what the backend gets to see of them.
//
// A verdict is about a token AND the rules it was judged by. Whoever remembers one remembers both.

/// The rules of one place: the main level's, or those of a location.
public struct AccessRules: Sendable, Equatable {
    /// They hold besides the issuer's own.
    public var requirements: Requirements
    /// What the backend is told of a token; nil: the usual fields.
    public var forward: ForwardPolicy?
    public var authorization: AuthorizationPolicy

    public init(
        requirements: Requirements = Requirements(), forward: ForwardPolicy? = nil,
        authorization: AuthorizationPolicy = .keep
    ) {
        self.requirements = requirements
        self.forward = forward
        self.authorization = authorization
    }
}

/// What becomes of the request's Authorization field.
public enum AuthorizationPolicy: String, Sendable, CaseIterable {
    /// The backend gets it, as it may read the token itself.
    case keep
    /// It goes no further.
    case strip
    /// It goes no further, and the backend gets a token of our own in its place. Where no token was verified, it gets
    /// none: nothing of a client's may pass for one of ours.
    case mint
}
