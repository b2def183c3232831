/* Hashes against published vectors (FIPS 180-4 examples, RFC 4231), and hex. */
#include "tests/expect.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/digest.h"

static struct str hex(const uint8_t *bytes, size_t count, char *room)
{
    hex_encode(bytes, count, room);
    return str_of(room);
}

static void known_hashes(void **state)
{
    static const struct {
        const char *text, *want;
    } ROWS[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    };
    char room[65];
    uint8_t bytes[SHA256_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct digest digest = digest_of(str_of(ROWS[i].text));

        sha256(str_of(ROWS[i].text), bytes);
        EXPECT_STR(hex(bytes, SHA256_BYTES, room), str_of(ROWS[i].want), "SHA-256");
        EXPECT_STR(hex(digest.bytes, DIGEST_BYTES, room), str_slice(str_of(ROWS[i].want), 0, 32),
                   "its first half");
    }
    sha256(STR_NONE, bytes);
    EXPECT_STR(hex(bytes, SHA256_BYTES, room), str_of(ROWS[0].want), "no text");
}

static void known_macs(void **state)
{
    char room[65];
    uint8_t bytes[SHA256_BYTES];

    (void)state;
    hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), bytes);
    EXPECT_STR(hex(bytes, SHA256_BYTES, room),
               STR("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
               "RFC 4231, case 2");
    hmac_sha256(STR_NONE, STR_NONE, bytes);
    EXPECT_STR(hex(bytes, SHA256_BYTES, room),
               STR("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
               "empty key and text");
}

static void hex_there_and_back(void **state)
{
    static const char *const BAD[] = {"", "0", "000", "0g00", "00 0", "0x00", "00000"};
    uint8_t bytes[2] = {9, 9};

    (void)state;
    EXPECT(hex_decode(STR("aF09"), bytes, 2) && bytes[0] == 0xAF && bytes[1] == 0x09, "both cases");
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        EXPECT(!hex_decode(str_of(BAD[i]), bytes, 2), "'%s'", BAD[i]);
    }
    EXPECT(hex_decode(STR(""), bytes, 0), "nothing is nothing");
}

static void a_file_is_hashed_or_said_to_be_unreadable(void **state)
{
    char path[] = "/tmp/crmsync-digest-XXXXXX";
    int fd = mkstemp(path);
    uint8_t bytes[SHA256_BYTES];
    char room[65];
    int64_t size = 0;
    struct error err = {0};

    (void)state;
    EXPECT(fd >= 0 && write(fd, "abc", 3) == 3, "a file to read");
    EXPECT(sha256_file(path, bytes, &size, &err) == OK && size == 3, "%s", err.message);
    EXPECT_STR(hex(bytes, SHA256_BYTES, room),
               STR("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "abc");
    close(fd);
    unlink(path);
    EXPECT(sha256_file(path, bytes, &size, &err) == FAIL_CONFIG, "a file that is not there");
    EXPECT(sha256_file("/tmp", bytes, &size, &err) == FAIL_CONFIG, "a folder");
    EXPECT(strstr(err.message, "/tmp") && err.hint[0], "%s", err.message);
}

static void digests_differ_with_content(void **state)
{
    struct digest x = digest_of(STR("x")), same = digest_of(STR("x")), y = digest_of(STR("y"));

    (void)state;
    EXPECT(digest_equal(&x, &same) && !digest_equal(&x, &y), "equality");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_hashes),
        cmocka_unit_test(known_macs),
        cmocka_unit_test(hex_there_and_back),
        cmocka_unit_test(a_file_is_hashed_or_said_to_be_unreadable),
        cmocka_unit_test(digests_differ_with_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
