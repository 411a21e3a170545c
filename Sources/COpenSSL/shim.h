/* The parts of OpenSSL 3 that OpenSSLKit calls; nothing here is visible above OpenSSLKit. */
#ifndef ANTECHAMBER_COPENSSL_H
#define ANTECHAMBER_COPENSSL_H

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* A macro made of other macros in parentheses, which Swift does not import. */
static const int antechamber_public_key_selection = EVP_PKEY_PUBLIC_KEY;

/* OSSL_PARAM_BLD keeps the pointers to parameter names. Swift imports the macros as Strings, whose C text lives for
   one call only; these live for ever. */
static const char *const antechamber_param_rsa_n = OSSL_PKEY_PARAM_RSA_N;
static const char *const antechamber_param_rsa_e = OSSL_PKEY_PARAM_RSA_E;
static const char *const antechamber_param_group_name = OSSL_PKEY_PARAM_GROUP_NAME;
static const char *const antechamber_param_pub_key = OSSL_PKEY_PARAM_PUB_KEY;

/* The functions below EVP, which OpenSSL advises against since 3.0 and has kept: EVP allocates a state for each digest,
   and a request's token is hashed on its way. None of them can fail. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static inline void antechamber_sha256(const unsigned char *bytes, size_t count, unsigned char digest[32]) {
    SHA256_CTX state;
    SHA256_Init(&state);
    SHA256_Update(&state, bytes, count);
    SHA256_Final(digest, &state);
}
#pragma GCC diagnostic pop

/* Function-like macros of libssl, which Swift does not import. */
static inline int antechamber_ctx_set_versions(SSL_CTX *ctx, int least, int most) {
    return SSL_CTX_set_min_proto_version(ctx, least) == 1 && SSL_CTX_set_max_proto_version(ctx, most) == 1;
}
static inline void antechamber_ctx_set_mode(SSL_CTX *ctx, long mode) { SSL_CTX_set_mode(ctx, mode); }
static inline void antechamber_ctx_set_read_ahead(SSL_CTX *ctx) { SSL_CTX_set_read_ahead(ctx, 1); }
static inline void antechamber_ctx_set_session_cache_mode(SSL_CTX *ctx, long mode) {
    SSL_CTX_set_session_cache_mode(ctx, mode);
}
static inline int antechamber_ctx_set_groups(SSL_CTX *ctx, const char *list) {
    return (int)SSL_CTX_set1_groups_list(ctx, list);
}
static inline int antechamber_ctx_use_chain(SSL_CTX *ctx, STACK_OF(X509) *chain) {
    return (int)SSL_CTX_set1_chain(ctx, chain);
}
static inline int antechamber_set_server_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}
static inline void antechamber_bio_retry_read(BIO *bio) {
    BIO_clear_retry_flags(bio);
    BIO_set_retry_read(bio);
}
static inline void antechamber_bio_retry_write(BIO *bio) {
    BIO_clear_retry_flags(bio);
    BIO_set_retry_write(bio);
}
static inline void antechamber_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }
static inline STACK_OF(X509) *antechamber_certificates_new(void) { return sk_X509_new_null(); }
static inline int antechamber_certificates_push(STACK_OF(X509) *stack, X509 *certificate) {
    return sk_X509_push(stack, certificate) > 0;
}
static inline void antechamber_certificates_free(STACK_OF(X509) *stack) { sk_X509_pop_free(stack, X509_free); }
static inline int antechamber_names_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
/* The characters of a DNS name, or null for a name of another kind. */
static inline const unsigned char *antechamber_dns_name(const GENERAL_NAMES *names, int index, int *count) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    if (name->type != GEN_DNS) return NULL;
    *count = ASN1_STRING_length(name->d.dNSName);
    return ASN1_STRING_get0_data(name->d.dNSName);
}
static inline int antechamber_ctx_add_client_authority(SSL_CTX *ctx, X509 *certificate) {
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate) == 1
        && SSL_CTX_add_client_CA(ctx, certificate) == 1;
}
static inline int antechamber_ctx_set_ticket_callback(
    SSL_CTX *ctx,
    int (*callback)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *, EVP_MAC_CTX *, int)) {
    return (int)SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, callback);
}
/* The suites of TLS 1.2 by our list and order, no compression, no renegotiation (RFC 5746; each costs us a handshake and
   the client nothing), and ChaCha20 for whoever puts it first, as devices without AES instructions do. */
static const uint64_t antechamber_server_options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION
    | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
static const uint64_t antechamber_client_options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION;
static inline int antechamber_mac_set_key(EVP_MAC_CTX *mac, const unsigned char *key, size_t count) {
    OSSL_PARAM params[3] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key, count),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params);
}
/* RFC 4514, and every byte beyond ASCII escaped. */
static const unsigned long antechamber_name_flags = XN_FLAG_RFC2253;
static inline int antechamber_is_unexpected_end(unsigned long error) {
    return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}
static inline int antechamber_handshake_is_http(unsigned long error) {
    return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST;
}
/* Version, cipher, group, signature algorithm, ALPN: whatever two ends have to have in common. */
static inline int antechamber_is_disagreement(unsigned long error) {
    if (ERR_GET_LIB(error) != ERR_LIB_SSL) return 0;
    switch (ERR_GET_REASON(error)) {
    case SSL_R_UNSUPPORTED_PROTOCOL: case SSL_R_VERSION_TOO_LOW: case SSL_R_VERSION_TOO_HIGH:
    case SSL_R_NO_PROTOCOLS_AVAILABLE: case SSL_R_INAPPROPRIATE_FALLBACK: case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS: case SSL_R_NO_SUITABLE_GROUPS: case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS: case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SUITABLE_DIGEST_ALGORITHM: case SSL_R_NO_APPLICATION_PROTOCOL: return 1;
    default: return 0;
    }
}
static inline int antechamber_is_missing_certificate(unsigned long error) {
    return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
}
/* The peer has sent an alert: OpenSSL adds its number to an offset. */
static inline int antechamber_is_alert(unsigned long error) {
    return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) >= SSL_AD_REASON_OFFSET;
}

#endif
