// `/`: the page of StatusPage.html, which draws `/status` and `/migration`.

import Bytes
import OpenSSLKit

struct StatusPage {
    let html: [UInt8]
    /// What a browser holds the page to (CSP Level 3): its own style and script are run, told by their hashes, only the
    /// listener that it came from is asked, it is not framed, and no text can become markup or code (Trusted Types).
    let contentSecurityPolicy: String

    init() {
        html = PackageResources.StatusPage_html
        let text = String(decoding: html, as: UTF8.self)
        let style = Self.hash(ofElement: "style", in: text)
        let script = Self.hash(ofElement: "script", in: text)
        contentSecurityPolicy = [
            "default-src 'none'", "style-src '\(style)'", "script-src '\(script)'", "connect-src 'self'", "img-src data:",
            "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ].joined(separator: "; ")
    }

    /// The hash source of what stands in the one element of that name.
    private static func hash(ofElement name: String, in text: String) -> String {
        let behindStart = text.split(separator: "<\(name)>", maxSplits: 1, omittingEmptySubsequences: false)
        precondition(behindStart.count == 2, "the page has no <\(name)>")
        let content = behindStart[1].split(separator: "</\(name)>", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let digest = SHA256Digest(of: Array(content.utf8).span)
        // Base64 of RFC 4648 §4, as every browser takes it.
        let hash = Base64URL.encode(digest.bytes.span).span.text().replacing("-", with: "+").replacing("_", with: "/")
        return "sha256-\(hash)="
    }
}
