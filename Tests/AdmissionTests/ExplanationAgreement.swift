// An explanation and the proxy's verdict are one. Every token that a test of this module hands to `decide` is explained
// as well, and held to it.

import JOSE
import Testing

@testable import Admission

extension Authenticator {
    /// What is said of `token` under this authenticator's policy and keys.
    func explain(_ token: String, rulesIndex: Int = 0, at now: Instant = Fixture.instant()) -> Explanation {
        let policy = AdmissionPolicy(
            issuers: issuers.map(\.policy), rules: rules, mint: mint?.policy, errorDetail: .terse)
        let examination = Examination(Array(token.utf8), under: policy, rulesIndex: rulesIndex)
        let report = examination.issuerIndex.map { KeyReport(state: keys[$0].material.state, source: "keys.json") }
        return examination.explain(with: report ?? .notNeeded, at: now)
    }
}

/// Holds that the explanation gives the verdict's own refusal, that the first step that failed is where it comes from,
/// and that nothing is printed that must not be.
func expectSameAnswer(_ decision: Decision, of explanation: Explanation, _ token: String) {
    let failures = explanation.steps.compactMap(\.refusal)
    #expect(explanation.steps.map(\.name) == Explanation.StepName.allCases)
    var first = failures.first
    first?.issuerIndex = explanation.refusal?.issuerIndex
    #expect(first == explanation.refusal, "the first failed step is not the reason")
    switch decision {
    case .admit(let identity):
        #expect(explanation.isAdmitted)
        #expect(explanation.steps.allSatisfy { $0.outcome == .passed })
        #expect(explanation.signature == .held)
        #expect(explanation.fields.count == identity.fieldText.split(separator: "\r\n").count)
    case .refuse(let refusal):
        #expect(explanation.refusal?.code == refusal.code)
        // With `error_detail terse` the caller is told less.
        if !refusal.detail.isEmpty, refusal.code != .unknownIssuer { #expect(explanation.refusal == refusal) }
        #expect(explanation.fields.isEmpty)
    case .awaitKeys:
        // The keys that were waited for are those that are there.
        #expect([.unknownKey, .keysUnavailable].contains(explanation.refusal?.code))
    }
    #expect(isPrintable(explanation.text()))
}

private func isPrintable(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 == 0x0A || $0 >= 0x20 && $0 < 0x7F }
}

/// Nothing printed can drive a terminal, and neither the signature nor any part of the token as it was sent is in it.
func expectDiscreet(_ explanation: Explanation, of token: String) {
    for text in [explanation.text(), explanation.text(.terminal(columns: 80, colour: false)), explanation.json] {
        #expect(isPrintable(text))
        #expect(text.utf8.count < 64 * 1024)
        for part in token.split(separator: ".") where part.utf8.count > 20 {
            #expect(!text.contains(part), "a part of the token is printed")
        }
    }
    #expect(explanation.json.utf8.count { $0 == 0x0A } == 1)
}
