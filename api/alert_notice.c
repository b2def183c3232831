#include "api/alert_notice.h"

#include <inttypes.h>
#include <jansson.h>

#include "api/hook.h"
#include "core/alloc.h"
#include "core/jx.h"
#include "core/when.h"

static const char *word_of(const struct alert_notice *notice)
{
    if (notice->is_test) {
        return "test";
    }
    return notice->news == ALERT_IS_OVER ? "resolved" : "firing";
}

struct str alert_line(struct arena *arena, const struct alert_notice *notice)
{
    return arena_printf(arena, "[%s] %" PRI_STR ": %" PRI_STR " (condition: %" PRI_STR "; %s)",
                        word_of(notice), STR_ARG(notice->rule->name), STR_ARG(notice->detail),
                        STR_ARG(notice->rule->condition_text),
                        alert_severity_name(notice->rule->severity));
}

static json_t *text(struct str s)
{
    return json_stringn(s.at ? s.at : "", s.len);
}

static struct str dumped(struct arena *arena, json_t *take_tree)
{
    char *dump = json_dumps(take_tree, JSON_COMPACT);
    struct str kept = arena_str(arena, str_of(dump));

    free(dump);
    json_decref(take_tree);
    return kept;
}

struct str alert_json(struct arena *arena, const struct alert_notice *notice)
{
    char at[WHEN_TEXT_BYTES];

    when_format_ms(notice->at_ms, at);
    return dumped(arena,
                  json_pack("{s:o,s:s,s:{s:o,s:s,s:s,s:o,s:o}}", "type",
                            text(arena_printf(arena, "alert.%s", word_of(notice))), "timestamp", at,
                            "data", "alert", text(notice->rule->name), "state", word_of(notice),
                            "severity", alert_severity_name(notice->rule->severity), "condition",
                            text(notice->rule->condition_text), "detail", text(notice->detail)));
}

/* Source: docs.slack.dev/messaging/formatting-message-text, "Escaping text". */
static struct str escaped(struct arena *arena, struct str line)
{
    struct buf out;
    struct str kept;

    buf_init(&out, 6 * line.len + 1);
    for (size_t i = 0; i < line.len; i++) {
        switch (line.at[i]) {
        case '&':
            buf_add(&out, STR("&amp;"));
            break;
        case '<':
            buf_add(&out, STR("&lt;"));
            break;
        case '>':
            buf_add(&out, STR("&gt;"));
            break;
        default:
            buf_add_char(&out, line.at[i]);
        }
    }
    kept = arena_str(arena, buf_str(&out));
    buf_fini(&out);
    return kept;
}

struct str alert_slack(struct arena *arena, const struct alert_notice *notice)
{
    return dumped(arena,
                  json_pack("{s:o}", "text", text(escaped(arena, alert_line(arena, notice)))));
}

void alert_sign(struct arena *arena, const struct alert_notice *notice, struct str key,
                struct str body, struct http_headers *headers)
{
    hook_sign(arena,
              arena_printf(arena, "alert_%" PRI_STR "_%" PRId64, STR_ARG(notice->rule->name),
                           notice->number),
              notice->at_ms, &key, 1, body, headers);
}
