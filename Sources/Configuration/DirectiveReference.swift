// The reference of the configuration file, written from the table that reads it.

/// docs/configuration.md.
public enum DirectiveReference {
    public static var markdown: String {
        var text = introduction
        for (context, title) in [
            (Context.main, "Top level"), (.listen, "Inside `listen`"), (.upstream, "Inside `upstream`"), (.issuer, "Inside `issuer`"),
            (.legacyAudience, "Inside `legacy_audience`"), (.location, "Inside `location`"),
            (.forward, "Inside `forward`"), (.mint, "Inside `mint`"),
        ] {
            text += "\n## \(title)\n"
            for directive in Directive.all where directive.contexts.contains(context) {
                text += entry(directive)
            }
        }
        return text
    }

    private static func entry(_ directive: Directive) -> String {
        var facts: [String] = []
        if directive.whenMissing != nil { facts.append("required") }
        if let standard = directive.standard { facts.append("default `\(standard)`") }
        if directive.isRepeatable { facts.append("repeatable") }
        var text = "\n### `\(directive.form)`\n\n\(directive.summary)\n"
        if !facts.isEmpty { text += "\n*\(facts.joined(separator: ", "))*\n" }
        return text
    }

    private static let introduction = #"""
        # The configuration file

        <!-- Written from the directive table in Sources/Configuration. A test keeps it current; to write it anew:
             ANTECHAMBER_RECORD=1 swift test --filter ConfigurationTests -->

        The grammar is nginx's.

        - `name argument …;` or `name argument … { … }`. A `#` in front of a word starts a comment.
        - A string in `"…"` or `'…'` may hold any character and ends on its line. In words and strings alike, a
          backslash in front of punctuation stands for that character, and `\n`, `\r`, `\t` for the usual ones.
        - `${NAME}` is the value of an environment variable, `${NAME:-default}` gives it a default for when it is unset
          or empty. Without a default an unset variable is an error. A value is always part of the one argument it
          stands in, whatever it holds.
        - `include path/*.conf;` puts other files in its place. They are nested at most 8 deep.
        - Relative paths start from the directory of the file that says them.
        - Durations: `500ms`, `30s`, `10m`, `24h`, `7d`; a number alone is in seconds. Sizes: bytes, or `8k`, `1m`, `1g`.
          Instants: RFC 3339 to the second, `2027-03-31T00:00:00Z` or `2027-03-31T02:00:00+02:00`.

        `antechamber check` reports every problem of the file at once.

        ## Flags and environment

        | flag | environment | in the file | what it replaces |
        | --- | --- | --- | --- |
        | `--config` | `ANTECHAMBER_CONFIG` | – | without either there is no file |
        | `--listen` | `ANTECHAMBER_LISTEN` | `listen` | every `listen` |
        | `--upstream` | `ANTECHAMBER_UPSTREAM` | `upstream` | every server; what else stands in its block stays |
        | `--issuer` | `ANTECHAMBER_ISSUER` | `issuer` | every `issuer`, with all that stands in its block |
        | `--audience` | `ANTECHAMBER_AUDIENCE`, separated by commas | `audience` | every `audience` of the only issuer; an error where there are several |

        A flag beats the environment, and the environment beats the file. A variable that is set to nothing counts as
        not set. The file has to be right as a whole, even where something else overrides it.

        """#
}
