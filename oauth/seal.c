#include "oauth/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

/* OpenSSL fails here only when it is broken or out of memory: neither leaves anything to go on with. */
static void must(int is_done)
{
    if (is_done != 1) { /* GCOVR_EXCL_BR_LINE: OpenSSL is broken */
        abort();        /* GCOVR_EXCL_LINE: the same */
    }
}

static const unsigned char *bytes_of(const char *at)
{
    return (const unsigned char *)at;
}

void seal(const uint8_t key[SEAL_KEY_BYTES], struct random *random, struct str bound_to,
          struct str plain, char *ret)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    unsigned char *out = (unsigned char *)ret + SEAL_NONCE_BYTES;
    int len;

    must(cipher != NULL);
    random_bytes(random, ret, SEAL_NONCE_BYTES);
    must(EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, bytes_of(ret)));
    must(EVP_EncryptUpdate(cipher, NULL, &len, bytes_of(bound_to.at), (int)bound_to.len));
    must(EVP_EncryptUpdate(cipher, out, &len, bytes_of(plain.at), (int)plain.len));
    must(EVP_EncryptFinal_ex(cipher, out + len, &len));
    must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_BYTES, out + plain.len));
    EVP_CIPHER_CTX_free(cipher); /* wipes the key it held */
}

bool seal_open(const uint8_t key[SEAL_KEY_BYTES], struct str bound_to, struct str sealed, char *ret)
{
    EVP_CIPHER_CTX *cipher;
    struct str text;
    char tag[SEAL_TAG_BYTES];
    int len;
    bool is_true;

    if (sealed.len < SEAL_EXTRA_BYTES) {
        return false;
    }
    cipher = EVP_CIPHER_CTX_new();
    text = str_slice(sealed, SEAL_NONCE_BYTES, sealed.len - SEAL_TAG_BYTES);
    must(cipher != NULL);
    memcpy(tag, sealed.at + sealed.len - SEAL_TAG_BYTES, SEAL_TAG_BYTES);
    must(EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, bytes_of(sealed.at)));
    must(EVP_DecryptUpdate(cipher, NULL, &len, bytes_of(bound_to.at), (int)bound_to.len));
    must(EVP_DecryptUpdate(cipher, (unsigned char *)ret, &len, bytes_of(text.at), (int)text.len));
    must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, SEAL_TAG_BYTES, tag));
    is_true = EVP_DecryptFinal_ex(cipher, (unsigned char *)ret + text.len, &len) == 1;
    if (!is_true) {
        OPENSSL_cleanse(ret, text.len); /* it came out before the tag was checked */
    }
    EVP_CIPHER_CTX_free(cipher);
    return is_true;
}
