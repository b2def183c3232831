/* The text of a token: 256 random bits behind a prefix by which scanners for leaked secrets know it. */
#ifndef CRMSYNC_API_TOKEN_H
#define CRMSYNC_API_TOKEN_H

#include "core/digest.h"
#include "core/random.h"
#include "core/secret.h"

#define API_TOKEN_PREFIX "crmsync_"
enum { API_TOKEN_RANDOM_BYTES = 32, API_TOKEN_BYTES = sizeof API_TOKEN_PREFIX - 1 + 43 };

/* A new token, and what is kept of it. */
void api_token_make(struct random *random, struct secret *ret, uint8_t ret_hash[SHA256_BYTES]);
/* false: text has not the form of a token. */
bool api_token_hash(struct str text, uint8_t ret[SHA256_BYTES]);

#endif
