#include "cli/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

enum { LINE_BYTES = 8192 };

static enum fail from_input(const struct ask *ask, struct secret *ret, struct error *err)
{
    char line[LINE_BYTES];
    struct termios before, silent;
    bool is_terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    char *got;

    if (is_terminal) {
        fprintf(stderr, "%s%s%s for '%" PRI_STR "' (not shown): ", ask->about ? ask->about : "",
                ask->about ? "\n" : "", ask->what, STR_ARG(ask->of));
        silent = before;
        silent.c_lflag &= (tcflag_t)~ECHO;
        tcsetattr(STDIN_FILENO, TCSANOW, &silent);
    }
    setvbuf(stdin, NULL, _IONBF, 0); /* no copy of the line in a buffer that nobody wipes */
    got = fgets(line, sizeof line, stdin);
    if (is_terminal) {
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
        fputc('\n', stderr);
    }
    if (got) {
        secret_set(ret, str_trim(str_of(line)));
    }
    explicit_bzero(line, sizeof line);
    if (secret_is_empty(ret)) {
        error_set(err, FAIL_CONFIG, "no %s was given", ask->what);
        return error_hint(
            err, "type it at the prompt, pipe it in, or use --token-env NAME or --token-file FILE");
    }
    return OK;
}

static enum fail from_file(const struct ask *ask, struct secret *ret, struct error *err)
{
    char line[LINE_BYTES];
    FILE *file = fopen(ask->file.at, "re");
    bool got = file && setvbuf(file, NULL, _IONBF, 0) == 0 && fgets(line, sizeof line, file);
    int reason = errno;

    if (file) {
        fclose(file);
    }
    if (!got) {
        error_set(err, FAIL_CONFIG, "cannot read a %s from '%s': %s", ask->what, ask->file.at,
                  file ? "it is empty" : strerror(reason));
        return error_hint(err, "the file must hold the %s on its first line", ask->what);
    }
    secret_set(ret, str_trim(str_of(line)));
    explicit_bzero(line, sizeof line);
    return OK;
}

enum fail ask_secret(const struct ask *ask, struct secret *ret, struct error *err)
{
    const char *value;

    if (!ask->variable.len) {
        return ask->file.len ? from_file(ask, ret, err) : from_input(ask, ret, err);
    }
    value = getenv(ask->variable.at);
    if (!value || !value[0]) {
        error_set(err, FAIL_CONFIG, "environment variable %s is not set", ask->variable.at);
        return error_hint(err, "export it, or leave --token-env out to be asked");
    }
    secret_set(ret, str_trim(str_of(value)));
    return OK;
}
