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
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

/* A macro made of other macros in parentheses, which Swift does not import. */
static const int antechamber_public_key_selection = EVP_PKEY_PUBLIC_KEY;

/* OSSL_PARAM_BLD keeps the pointers to parameter names. Swift imports the macros as Strings, whose C text lives for
   one call only; these live for ever. */
static const char *const antechamber_param_rsa_n = OSSL_PKEY_PARAM_RSA_N;
static const char *const antechamber_param_rsa_e = OSSL_PKEY_PARAM_RSA_E;
static const char *const antechamber_param_group_name = OSSL_PKEY_PARAM_GROUP_NAME;
static const char *const antechamber_param_pub_key = OSSL_PKEY_PARAM_PUB_KEY;

#endif
