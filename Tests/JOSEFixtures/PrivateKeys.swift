// Private keys of the forms in which files hold them, for the tests alone: made by openssl 3.0, some of them of the keys of
// IndependentTokens.

package enum PrivateKeys {
    /// PKCS #1 (RFC 8017 appendix A.1.2): `IndependentTokens.rsaPEM`, by `openssl pkey -traditional`.
    package static let rsaPKCS1 = """
        -----BEGIN RSA PRIVATE KEY-----
        MIIEpAIBAAKCAQEAyc9x/u76m7tCtAjQr6Ia7ccxyymDOsdzxduOB4XvqKB+tPU/
        VIaROkWZJY1cgc9m31UsYKMVJG4YFk3JfXve03IH4EGj3/bScH4XyQ+rUWuTxbC6
        A5njaTut52DA9Kzm1xjkVkO9ZxXOcsykOH4AckKa1L9v0oBPaGG0fASUICU++NUT
        nDM/eYZya99oa5kjKQXGCkUUtN4SruvbXkOY5fydTrq97iuNM2jRbS+mCF7jJ3kX
        T6GZJ2JaEjWcjIInAVloIvJbFvRA/oJq1otCpLQnhg1gPP7Hu0KMMR1Z2Y018aPP
        qXWSuB7KNkvgR6K9udlqpzTAVyMY84LCIIjh0QIDAQABAoIBAA/ThGGVNTMMSu1a
        eZ8ka8803VtM3J058gLUtn0xjDthpr4jM3259d6ngZyXyublMHCYOdw0Pd63AY2S
        ORhto+paGXMFQsg4D4XB5bSfVXSTpqmMs/G/Wj2w7/Divg8SFiJNMe7v7gUNCT0o
        fkJt4zQStBi2EJtl85RAgUpug31HusJGu2qJInsdoAAkyEp8UFKehB9mo6KIR8jC
        XNAXJHEuc57RiKgzUDbWjpUtP4v916oDignfgyFNl5cIPOn3qArYWbLDE/OVnfas
        PtvLiZoSy+Bpbj2w8A5jRFlvW1DqFhmiY8K8PD4ZMMB46S4Lm5bL3824TPQaX2DM
        kuKo48kCgYEA8bbKbpWv4Wjsfxla9iuCrUxB1lTnSpOki7VuHRYA2tKTEVmQ6cXv
        +VTX+upD4JWo6EnSpBQJmqzJHDLbbMu5NntL+HwE4MeeLk2xsju4BEhxFJ156fB/
        Cf1zd+KniMkHTGjr07b6V4u8a3QO4PNzbYanwYUmy6Uj6u7qx2HwaNUCgYEA1bzm
        LIVgn7os3DJs6gffIXZQSisHtzF982jcFJS4xC+1t224tfXgQTOg1LtDzMIdLdqT
        pOXkgKRz/SmnJWg+XegvIXG9zHbB9a/IpnjI9oDnDUUCNSpx21ACy6XqtXslmnMA
        fP/bCtc8pXTTMVcvG3sFsreBTs6SWF9/9jM80w0CgYEAuzl15WBGgpeuD+jI30Lm
        jmsx192d5dMksh6PMzJW6SgQSHES4TCzZ3JDdRQ+DVh/I6YC5ZqrscZCZHg0JDpM
        tRmdx9PwR1f3ezAtArxlFdQy2t/7jav+CvPpm6PRVw83ewUOHchucp9HDAgyeiW4
        c87IZApJ+ZVpk9EJw/Rlrh0CgYAKE9f+bWN65HpM/4unFSvuFff/Jzw75Pd9TIpj
        5gc4KM+2kFPPMIKcUGTa4uF1fAmIKfAgLD6z2g0l+JrK5rlaECJ4vzYlt8u5W8po
        HvXKuZUrSP+rpg6sOn+HPpFscRv6xkVVn3KidjeDzZhPkT7FWu2P2ZsdLhw0Unxk
        DVJm2QKBgQDhf6Z960HXrRmdxP9nLJDA0MpA1BvW5hIw7HC/KIffy3JRrr37+lva
        6MfyUhR/VkrdFx5nxIw++ZPkrw2WOY1bR3tlXTj3Ib1D9xbIgnM6t7/FHFGTA5WH
        eogkiSPFuWbf7fJ33iObwZICyIgVQEL0rRKY8mVFEvI3siVsCrCJkg==
        -----END RSA PRIVATE KEY-----

        """

    /// SEC 1 (RFC 5915), behind the parameters that `openssl ecparam -genkey` writes: `IndependentTokens.p256PEM`.
    package static let p256SEC1 = """
        -----BEGIN EC PARAMETERS-----
        BggqhkjOPQMBBw==
        -----END EC PARAMETERS-----
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEIAK0q+L/dWOs6XMxdQRhO+Zb77xCZhy7QArwXTuAStlMoAoGCCqGSM49
        AwEHoUQDQgAEruJSH8+1XrJ4L2v6gzoil5kvA11n9Pxq5tm1RVRCJXnj1koLYgHF
        mvpMwDDp2pPOGcGEJpZ6qQQ04mO2EoltPA==
        -----END EC PRIVATE KEY-----

        """

    /// The same, encrypted in the way of RFC 1421 (`Proc-Type: 4,ENCRYPTED`), by `openssl ec -aes128`.
    package static let p256Encrypted = """
        -----BEGIN EC PRIVATE KEY-----
        Proc-Type: 4,ENCRYPTED
        DEK-Info: AES-128-CBC,588C40C5FEDDEEA71A592EA26972B9D2

        wXmqe3sBX0krKAA238roH5nLhAPkD6U8cEa3jZGfUpf3QD2AohTqVvkDWmYCjw7q
        3TqUjGtZ6e6mlZt9RqVLK5If9xpETnnX9/rQxQdWIVhK8sYvkFAcCzotOnlUTUsT
        PeO7aEV2ebNZWLFir9z/ocspphbezvEDgI/SwTCqcMQ=
        -----END EC PRIVATE KEY-----

        """

    /// By `openssl genpkey`, and too short to be taken.
    package static let rsa1024 = """
        -----BEGIN PRIVATE KEY-----
        MIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBANDcnVf7lZI9hGc5
        lGX1knoTGBDFxILwDDS1Iym+1Az+r2xc+ANM83TfKlhzFfgXpPhZkZUooZ+0fY6N
        vrxu3FaHn7Jx321/i7XhP36v2ARPV+JW3rHoLRIKkZTipS3URIKh5YPBazbYNPHG
        n4tYENidNy3/s9P9Le4KvK3tW0zXAgMBAAECgYEAyUiDnoIIEGqWykBUgrpakqkK
        HUfq7WFX8gfLPnT4uRlNiDpEjjG/wpc7oQgwWOq4gtsXEU+aC2aPRi3WbpTMZB4X
        5MsDdJurHI0Umg1oPwrknx+3Ulpkz+DZ6zkRvkCIopisLeWfpsGLH8GcUSDRE4Qh
        yOhBgbPyvN6D7NlkNKkCQQDoUqomL1fd+IXN6/YoyHkrUleeESbg6XwpNQQQT4lC
        Z0VsBBxjp90DOgKXFv6JOWnoI9GRXteS0/IdD1wVvvJtAkEA5iXYjoRa+li6CR2S
        Wkdws2ICRoolKKykEGV+p6p+F05hn6zzxrALLoFOjlOl3V0RMZQWpVMwySnjifar
        jDlR0wJAY+KOtyYpwAzG8pcd2cD/n6midBppvc+FC2541c5sdDlUdrF5xzr34hhB
        3tYLD9K4fw9PXhIJ2132vZnJ/KuBLQJBAJ8k8HisYVTX4dzHzBoNaItCbJxmjodv
        ygtkg45hQMvQ8YS+zdtIhJLl63JTuVA3ONp1sqsjuYqBIsyV+839HO0CQQCUkaJ8
        kyt4KxJ/9UjpI802+HoL17N+xmNpg4V6DLD+Rby3ZvZN5s+5jFHqEdJXoC4WD5Et
        3/3MoxJgjMWhw0hp
        -----END PRIVATE KEY-----

        """

    /// By `openssl genpkey`: of a kind that nothing is signed with here.
    package static let ed25519 = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIEZ6jUS4YPC6kNORoGaAVVvSHVZnllTsZNoTmHHrHvbg
        -----END PRIVATE KEY-----

        """

    /// The private half of `IndependentTokens.p256PEM`, and the public half of another key.
    package static let p256Mixed = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgArSr4v91Y6zpczF1
        BGE75lvvvEJmHLtACvBdO4BK2UyhRANCAASxLWaRiui8pFcLrNdIE44rBkHGbve5
        cllCxl1CQAzlgsAfqJxCQa7DVH/751slIrY+CBuiyp7FQvPv7DrHU4wG
        -----END PRIVATE KEY-----

        """
}
