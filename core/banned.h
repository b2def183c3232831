/* Functions that are never used here become compile errors: they overflow, lose errors or depend on the locale. */
#ifndef CRMSYNC_CORE_BANNED_H
#define CRMSYNC_CORE_BANNED_H

/* System headers first, so that their own declarations stay intact. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* clang's fortified headers make macros of some; a macro cannot be poisoned. */
#undef strcpy
#undef strcat
#undef strncpy
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets atoi atol atof gmtime localtime      \
    asctime ctime strncpy

#endif
