#include "http/auth.h"

void http_credential_fini(struct http_credential *credential)
{
    secret_fini(&credential->header);
    *credential = (struct http_credential){0};
}
