/* Faults on demand, seeded. A schedule is JSON:
 *   {"seed":7,"rules":[{"fault":"throttle|server_error|timeout_after_apply|truncate|wrong_type|slow|reset|html",
 *                       "per_million":20000,"path":"/batch/","method":"POST","from_call":10,"count":5}]}
 * per_million: chance per matching call; path: substring; from_call / count: which matching calls; all but fault are optional. */
#ifndef CRMSYNC_SIMULATORS_FAULTS_H
#define CRMSYNC_SIMULATORS_FAULTS_H

#include <jansson.h>

#include "core/env.h"
#include "http/message.h"

enum sim_fault {
    SIM_FAULT_NONE,
    SIM_FAULT_THROTTLE,            /* 429 in the CRM's own form, nothing applied */
    SIM_FAULT_SERVER_ERROR,        /* 500, 502 or 503, nothing applied */
    SIM_FAULT_TIMEOUT_AFTER_APPLY, /* applied, then no answer */
    SIM_FAULT_TRUNCATE,            /* applied, half the body */
    SIM_FAULT_WRONG_TYPE,          /* applied, a member of the answer has another JSON type */
    SIM_FAULT_SLOW,                /* applied, bytes drip */
    SIM_FAULT_RESET,               /* connection reset before anything is applied */
    SIM_FAULT_HTML,                /* 200 or 403 with an HTML page, nothing applied */
};

struct sim_faults;

/* FAIL_CONFIG names the rule and what is wrong. text "" or "{}" = none. */
enum fail sim_faults_parse(struct str text, struct sim_faults **ret, struct error *err) MUST_CHECK;
void sim_faults_free(struct sim_faults *faults); /* accepts NULL */
/* Decides for one call, deterministically from the schedule's seed and the sequence of calls. faults may be NULL. */
enum sim_fault sim_faults_next(struct sim_faults *faults, const struct http_request *request);

#endif
