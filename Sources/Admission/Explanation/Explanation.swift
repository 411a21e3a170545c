// What the policy says of one token, as a value: `antechamber explain` prints it.
//
// Every text in it is of bounded length, whatever the token holds, and none of it is the signature or the token as it was
// sent. Both ways of printing it make visible ASCII of it.

/// A verdict with the steps that led to it.
public struct Explanation: Sendable, Equatable {
    /// The steps in their fixed order. The raw values are a contract: machines read them.
    public enum StepName: String, Sendable, CaseIterable, Comparable {
        /// Is there one, and is it written as tokens are?
        case token
        /// Is it a signed JWT?
        case structure
        /// `iss`: whose rules are they?
        case issuer
        /// `alg`: may it be signed like that?
        case algorithm
        /// `kid`: which of the issuer's keys must have signed it?
        case key
        case signature
        /// `typ`
        case type
        /// `exp`, `nbf`, `iat`
        case times
        /// `aud`
        case audience
        /// What the place that is asked for requires besides.
        case requirements
        /// What the backend is told.
        case identity

        /// Whether it comes before.
        public static func < (left: StepName, right: StepName) -> Bool {
            let order = StepName.allCases
            return order.firstIndex(of: left)! < order.firstIndex(of: right)!
        }
    }

    public enum Outcome: Sendable, Equatable {
        case passed
        case failed(Refusal)
        /// A step before this one left nothing to look at, or nothing to look at it with.
        case notChecked
    }

    public struct Step: Sendable, Equatable {
        public var name: StepName
        public var outcome: Outcome
        /// What was looked at, in short phrases.
        public var found: [String]
        /// What would have passed, likewise; empty where it did.
        public var expected: [String]
        /// What to do about a failure, besides what the refusal's own hint says: for those who run the proxy.
        public var advice: [String]

        public init(
            _ name: StepName, _ outcome: Outcome, found: [String] = [], expected: [String] = [], advice: [String] = []
        ) {
            self.name = name
            self.outcome = outcome
            self.found = found
            self.expected = expected
            self.advice = advice
        }

        /// Why it failed; nil: it did not.
        public var refusal: Refusal? {
            if case .failed(let refusal) = outcome { refusal } else { nil }
        }
    }

    /// Whether the token can be believed.
    public enum Signature: String, Sendable {
        case held
        case failed
        case notChecked = "not_checked"
    }

    /// What kind of token it is, and what speaks for that.
    public struct Kind: Sendable, Equatable {
        public enum Name: String, Sendable {
            case idToken = "id_token"
            case accessToken = "access_token"
            case unclear
        }

        public var name: Name
        /// The client that an ID token was made for, where that can be told; cut, but not escaped.
        public var client: String?
        public var evidence: [String]
    }

    /// A name and a value, both ready to be shown.
    public struct Pair: Sendable, Equatable {
        public var name: String
        public var value: String
    }

    /// The proxy's own answer; nil: the token is admitted.
    public var refusal: Refusal?
    /// Where the token would be sent; nil: nowhere in particular, and the rules of the main level hold.
    public var place: RequestedPlace?
    /// All of them, in the order of `StepName`.
    public var steps: [Step]
    public var signature: Signature
    /// Nil where there are no claims to tell it from.
    public var kind: Kind?
    /// What else is worth knowing of the token.
    public var remarks: [String]
    /// What the token claims, in its own order.
    public var claims: [Pair]
    /// The header fields that the backend gets; empty unless the token is admitted.
    public var fields: [Pair]

    public var isAdmitted: Bool { refusal == nil }
}
