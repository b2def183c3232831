/* An input as a file with a name: for readers that open one. */
#ifndef CRMSYNC_TESTS_FUZZ_FILE_H
#define CRMSYNC_TESTS_FUZZ_FILE_H

#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

struct input_file {
    int fd;
    char path[64];
};

static void input_file_close(struct input_file *file)
{
    close(file->fd);
}
#define AUTO_INPUT_FILE __attribute__((cleanup(input_file_close)))

static struct input_file input_file_of(struct str input)
{
    struct input_file file = {.fd = memfd_create("input", MFD_CLOEXEC)};

    MUST_HOLD(file.fd >= 0 && write(file.fd, input.at, input.len) == (ssize_t)input.len,
              "no file in memory");
    snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
    return file;
}

#endif
