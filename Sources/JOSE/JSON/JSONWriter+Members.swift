// Members and containers whole: what most writers of JSON are made of.

extension JSONWriter {
    /// An object of the members that `members` writes.
    public mutating func object(_ members: (inout JSONWriter) -> Void) {
        beginObject()
        members(&self)
        endObject()
    }

    /// An array of what `write` makes of each element.
    public mutating func array<Element>(_ elements: [Element], _ write: (inout JSONWriter, Element) -> Void) {
        beginArray()
        for element in elements { write(&self, element) }
        endArray()
    }

    /// A member that is a string; nil: none.
    public mutating func member(_ name: String, _ value: String?) {
        guard let value else { return }
        self.name(name)
        string(value)
    }

    /// A member that is a number.
    public mutating func member(_ name: String, _ value: Int64) {
        self.name(name)
        integer(value)
    }

    /// A member that is true or false.
    public mutating func member(_ name: String, _ value: Bool) {
        self.name(name)
        bool(value)
    }

    /// A member that is an array of strings, which may be empty.
    public mutating func member(_ name: String, _ values: [String]) {
        self.name(name)
        array(values) { json, value in json.string(value) }
    }
}
