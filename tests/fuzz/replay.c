/* A target without libFuzzer: every file of its corpus as it is, then copies of them that are spoiled by a seeded hand. Any compiler, any sanitizer, the same
 * inputs every time.
 *   fuzz_TARGET [--rounds N] [--seed N] FOLDER
 * What does not hold is kept as fuzz_TARGET.crash in the working directory. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <signal.h>

#include "core/alloc.h"
#include "core/random.h"

enum { FILES_MAX = 4096, FILE_BYTES_MAX = 1 << 20, CHANGES_MAX = 6 };

struct corpus {
    struct str at[FILES_MAX]; /* owned */
    size_t count;
};

static void read_file(struct corpus *corpus, const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = alloc_new(FILE_BYTES_MAX, 1);
    size_t len;

    MUST_HOLD(file && corpus->count < FILES_MAX, "%s cannot be read", path);
    len = fread(text, 1, FILE_BYTES_MAX, file);
    fclose(file);
    corpus->at[corpus->count++] =
        (struct str){.at = alloc_resize(text, len ? len : 1, 1), .len = len};
}

static int by_name(const struct dirent **x, const struct dirent **y)
{
    return strcmp((*x)->d_name, (*y)->d_name);
}

static void read_folder(struct corpus *corpus, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, by_name);

    MUST_HOLD(count > 2, "no corpus in %s", path);
    for (int i = 0; i < count; i++) {
        AUTO_FREE char *file = alloc_printf("%s/%s", path, entries[i]->d_name);

        if (entries[i]->d_name[0] != '.') {
            read_file(corpus, file);
        }
        free(entries[i]);
    }
    free(entries);
}

/* What parsers look at. */
static char mark(struct random *random)
{
    static const char MARKS[] = "{}[]()<>\"'\\/,.;:=&?%#@!*+-_ \t\r\n0189aAzZ\x1f\x7f\x80\xc3\xff";

    return MARKS[random_below(random, sizeof MARKS)];
}

/* One change: a byte other, bytes more, bytes less, or a piece of another file. */
static size_t change(struct random *random, const struct corpus *corpus, char *text, size_t len)
{
    struct str other = corpus->at[random_below(random, corpus->count)];
    size_t at = random_below(random, len + 1), part;

    switch (random_below(random, 5)) {
    case 0:
        if (at < len) {
            text[at] = mark(random);
        }
        return len;
    case 1:
        if (at < len) {
            text[at] ^= (char)(1 << random_below(random, 8));
        }
        return len;
    case 2:
        part = random_below(random, len - at + 1);
        memmove(text + at, text + at + part, len - at - part);
        return len - part;
    case 3:
        memmove(text + at + 1, text + at, len - at);
        text[at] = mark(random);
        return len + 1;
    default:
        part = random_below(random, other.len + 1);
        memmove(text + at + part, text + at, len - at);
        memcpy(text + at, other.at + random_below(random, other.len - part + 1), part);
        return len + part;
    }
}

/* What is being run, for whoever wants to know why it ended there. */
static struct str present;
static char *kept_path;

static void keep_present(void)
{
    FILE *file = fopen(kept_path, "wb");

    if (file) {
        fwrite(present.at, 1, present.len, file);
        fclose(file);
        fprintf(stderr, "the input is in %s\n", kept_path);
    }
}

static void on_abort(int number)
{
    signal(number, SIG_DFL);
    keep_present();
    raise(number);
}

/* Of the sanitizers, where there are any. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void watch(const char *program)
{
    const char *name = strrchr(program, '/');

    kept_path = alloc_printf("%s.crash", name ? name + 1 : program);
    signal(SIGABRT, on_abort);
    if (__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback(keep_present);
    }
}

/* In a block of its own size, so that a read behind the end is seen. */
static void run(const char *text, size_t len)
{
    char *own = malloc(len ? len : 1);

    MUST_HOLD(own, "no memory");
    memcpy(own, text, len);
    present = (struct str){.at = own, .len = len};
    fuzz_one(present);
    free(own);
}

static void run_spoiled(const struct corpus *corpus, struct random *random)
{
    static char text[FILE_BYTES_MAX * (CHANGES_MAX + 2)];
    struct str from = corpus->at[random_below(random, corpus->count)];
    size_t len = from.len;

    memcpy(text, from.at, len);
    for (uint64_t i = 1 + random_below(random, CHANGES_MAX); i > 0; i--) {
        len = change(random, corpus, text, len);
    }
    run(text, len);
}

int main(int argc, char **argv)
{
    static struct corpus corpus;
    int64_t rounds = 0, seed = 1;
    struct random *random;

    for (int i = 1; i < argc; i++) {
        if (i + 1 < argc && strcmp(argv[i], "--rounds") == 0) {
            rounds = atoll(argv[++i]);
        } else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) {
            seed = atoll(argv[++i]);
        } else {
            read_folder(&corpus, argv[i]);
        }
    }
    MUST_HOLD(corpus.count, "no corpus was named");
    watch(argv[0]);
    random = random_new_seeded((uint64_t)seed);
    for (size_t i = 0; i < corpus.count; i++) {
        run(corpus.at[i].at, corpus.at[i].len);
    }
    for (int64_t i = 0; i < rounds; i++) {
        run_spoiled(&corpus, random);
    }
    printf("inputs=%zu rounds=%" PRId64 " seed=%" PRId64 "\n", corpus.count, rounds, seed);
    random_free(random);
    free(kept_path);
    for (size_t i = 0; i < corpus.count; i++) {
        free((char *)(uintptr_t)corpus.at[i].at);
    }
    return 0;
}
