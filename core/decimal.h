/* Exact decimals as canonical text: optional '-', digits without leading zeros, optional '.' and digits without trailing
 * zeros; zero is "0". No double ever holds a value that is sent back. */
#ifndef CRMSYNC_CORE_DECIMAL_H
#define CRMSYNC_CORE_DECIMAL_H

#include <stdbool.h>

#include "core/arena.h"

enum { DECIMAL_DIGITS_MAX = 64 };

/* Accepts sign, digits, one point, exponent ("1.5e3"). False on anything else or past DECIMAL_DIGITS_MAX digits (significant, before or behind the point).
 * digits_max > 0 rounds half-up to that many significant digits (HubSpot returns raw doubles: use 15); 0 keeps all. */
bool decimal_canonical(struct arena *arena, struct str text, int digits_max, struct str *ret);
/* <0, 0, >0; both canonical. */
int decimal_compare(struct str x, struct str y);

#endif
