/* The part of `connect` that signs in. */
#ifndef CRMSYNC_CLI_CONNECT_H
#define CRMSYNC_CLI_CONNECT_H

#include "cli/wire.h"

struct connect_sign_in {
    struct str variable, file; /* where the client secret comes from; both "": asked for */
    bool paste;                /* the redirected address is pasted, nothing listens */
    bool new_secret;           /* the client secret is entered anew */
};

/* Signs connection `index` in by its grant and keeps what comes of it. *ret_title: the account's name, the wire's arena. */
enum fail connect_sign_in(struct wire *wire, size_t index, const struct connect_sign_in *how,
                          struct str *ret_title, struct error *err) MUST_CHECK;

#endif
