public enum SigningAlgorithm: Sendable, Hashable { case rs256, es256 }
