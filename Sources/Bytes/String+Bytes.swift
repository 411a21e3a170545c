// Comparing text by its bytes, as identifiers of tokens have to be.

extension String {
    /// Whether the two have the same UTF-8. `==` will not do for identifiers out of tokens: it holds canonically
    /// equivalent texts equal, U+212A KELVIN SIGN and `K` among them, where RFC 7519 §2 and RFC 8259 §8.3 compare
    /// code points.
    @inlinable
    public func hasSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}
