// What the operator asks of tokens in one place, on top of what each issuer's policy asks everywhere.
//
// A verdict is about a token AND the rules it was judged by. Whoever remembers one remembers both.

/// The rules of one place: the main level's, or those of a location.
public struct AccessRules: Sendable, Equatable {
    /// They hold besides the issuer's own.
    public var requirements: Requirements

    public init(requirements: Requirements = Requirements()) {
        self.requirements = requirements
    }
}
