/* The Bulk API 2.0 of the Salesforce simulator: jobs that load a file and jobs that answer a query with one. */
#include "tests/unit/simulators/salesforce_journey.h"

#include "core/alloc.h"

#define INGEST DATA "/jobs/ingest"
#define CSV "Content-Type: text/csv"
#define JOB(fields)                                                                                \
    {                                                                                              \
        "POST", INGEST, "{\"object\":\"Contact\"," fields "}", 200, {"state=Open"}, "j=id"         \
    }
#define INSERT JOB("\"operation\":\"insert\"")
#define UPDATE JOB("\"operation\":\"update\"")
#define UPSERT JOB("\"operation\":\"upsert\",\"externalIdFieldName\":\"Email\"")
#define DELETE JOB("\"operation\":\"delete\"")
#define UPLOAD(text)                                                                               \
    {                                                                                              \
        "PUT", INGEST "/$j$/batches", text, 201, {"!"}, .headers = CSV                             \
    }
#define CLOSE                                                                                      \
    {                                                                                              \
        "PATCH", INGEST "/$j$", "{\"state\":\"UploadComplete\"}", 200,                             \
        {                                                                                          \
            "state=UploadComplete"                                                                 \
        }                                                                                          \
    }
#define AT_ONCE                                                                                    \
    {                                                                                              \
        "POST", "/__sim/bulk", "{\"queued_ms\":0,\"chunk_ms\":0}", 200,                            \
        {                                                                                          \
            "ok=true"                                                                              \
        }                                                                                          \
    }
#define DONE(processed, failed)                                                                    \
    {                                                                                              \
        "GET", INGEST "/$j$", NULL, 200,                                                           \
        {                                                                                          \
            "state=JobComplete", "numberRecordsProcessed=" processed,                              \
                "numberRecordsFailed=" failed                                                      \
        }                                                                                          \
    }
#define FAILS(message)                                                                             \
    {                                                                                              \
        "GET", INGEST "/$j$", NULL, 200,                                                           \
        {                                                                                          \
            "state=Failed", "errorMessage=" message, "numberRecordsProcessed=0"                    \
        }                                                                                          \
    }
#define RESULT(what, ...)                                                                          \
    {                                                                                              \
        "GET", INGEST "/$j$/" what, NULL, 200,                                                     \
        {                                                                                          \
            "@Content-Type=text/csv; charset=UTF-8", __VA_ARGS__                                   \
        }                                                                                          \
    }
#define NAMED(id, name)                                                                            \
    {                                                                                              \
        "GET", CONTACTS "/" id, NULL, 200,                                                         \
        {                                                                                          \
            "LastName=" name                                                                       \
        }                                                                                          \
    }

/* --- the way of a job -------------------------------------------------------------------------- */

JOURNEY(from_open_to_complete,
        {"POST",
         INGEST,
         "{\"object\":\"contact\",\"operation\":\"insert\",\"lineEnding\":\"LF\"}",
         200,
         {"state=Open", "object=Contact", "operation=insert", "apiVersion=66.0", "contentType=CSV",
          "columnDelimiter=COMMA", "createdDate=2026-11-21T07:00:00.000+0000",
          "concurrencyMode=Parallel"},
         "j=id;u=contentUrl"},
        {"PUT", "/$u$", "LastName\nIto\n", 201, {"!"}, .headers = CSV},
        {"GET", INGEST "/$j$", NULL, 200, {"state=Open", "contentUrl=$u$", "jobType=V2Ingest"}},
        {"PATCH",
         INGEST "/$j$",
         "{\"state\":\"UploadComplete\"}",
         200,
         {"state=UploadComplete", "contentUrl!", "numberRecordsProcessed!"}},
        {"GET", INGEST "/$j$/successfulResults", NULL, 400, {"0.errorCode=INVALIDJOBSTATE"}},
        {"GET", INGEST "/$j$", NULL, 200, {"state=UploadComplete"}, .advance_ms = 299},
        {"GET",
         INGEST "/$j$",
         NULL,
         200,
         {"state=InProgress", "numberRecordsProcessed=0"},
         .advance_ms = 1},
        {"GET",
         INGEST "/$j$",
         NULL,
         200,
         {"state=JobComplete", "numberRecordsProcessed=1", "numberRecordsFailed=0",
          "apiActiveProcessingTime=2", "errorMessage!"},
         .advance_ms = 2},
        RESULT("successfulResults", "~\"sf__Id\",\"sf__Created\",LastName\n\"003",
               "~\",\"true\",\"Ito\"\n"),
        RESULT("failedResults", "=\"sf__Id\",\"sf__Error\",LastName\n"),
        RESULT("unprocessedrecords/", "=LastName\n"), {"DELETE", INGEST "/$j$", NULL, 204, {NULL}},
        {"GET", INGEST "/$j$", NULL, 404, {"0.errorCode=NOT_FOUND"}}, )

JOURNEY(what_a_state_does_not_allow, AT_ONCE, INSERT,
        {"DELETE",
         INGEST "/$j$",
         NULL,
         400,
         {"0.errorCode=API_ERROR",
          "0.message=Error encountered when deleting the job because the job is not terminated"}},
        {"PATCH", INGEST "/$j$", "{\"state\":\"Running\"}", 400, {"0.errorCode=INVALIDJOBSTATE"}},
        {"PUT",
         INGEST "/$j$/batches",
         "LastName\nIto\n",
         415,
         {NULL},
         .headers = "Content-Type: text/xml"},
        {"POST", INGEST "/$j$/batches", "LastName\nIto\n", 405, {NULL}, .headers = CSV},
        UPLOAD("LastName\nIto\n"), UPLOAD("LastName\nMori\n"),
        {"PATCH",
         INGEST "/$j$",
         "{\"state\":\"UploadComplete\"}",
         400,
         {"0.errorCode=INVALIDJOB", "0.message~Found multiple contents for job: <$j$>"}},
        {"PATCH", INGEST "/$j$", "{\"state\":\"Aborted\"}", 200, {"state=Aborted"}},
        {"PATCH",
         INGEST "/$j$",
         "{\"state\":\"Aborted\"}",
         400,
         {"0.message=Aborting already Aborted Job not allowed"}},
        INSERT, UPLOAD("LastName\nIto\n"), CLOSE,
        {"PUT",
         INGEST "/$j$/batches",
         "LastName\nIto\n",
         400,
         {"0.errorCode=INVALIDJOBSTATE"},
         .headers = CSV},
        {"PATCH",
         INGEST "/$j$",
         "{\"state\":\"Aborted\"}",
         400,
         {"0.errorCode=INVALIDJOBSTATE", "0.message=Aborting already Completed Job not allowed"}},
        {"PATCH",
         INGEST "/$j$",
         "{\"state\":\"UploadComplete\"}",
         400,
         {"0.message=Closing already Completed Job not allowed"}}, )

JOURNEY(what_is_no_job,
        {"POST",
         INGEST,
         "{\"object\":\"Nothing\",\"operation\":\"insert\"}",
         400,
         {"0.errorCode=INVALIDJOB", "0.message=InvalidJob : Unable to find object: Nothing"}},
        {"POST",
         INGEST,
         "{\"object\":\"Contact\",\"operation\":\"query\"}",
         400,
         {"0.errorCode=INVALIDJOB"}},
        {"POST",
         INGEST,
         "{\"object\":\"Contact\",\"operation\":\"upsert\"}",
         400,
         {"0.message~External ID was blank for Contact"}},
        {"POST",
         INGEST,
         "{\"object\":\"Contact\",\"operation\":\"upsert\",\"externalIdFieldName\":\"Title\"}",
         400,
         {"0.message~Field name provided, Title does not match an External ID"}},
        {"POST",
         INGEST,
         "{\"object\":\"Contact\",\"operation\":\"insert\",\"columnDelimiter\":\"COLON\"}",
         400,
         {"0.errorCode=INVALIDJOB"}},
        {"POST",
         INGEST,
         "{\"object\":\"Contact\",\"operation\":\"insert\",\"lineEnding\":\"CR\"}",
         400,
         {"0.errorCode=INVALIDJOB"}},
        {"POST",
         INGEST,
         "{\"object\":\"Contact\",\"operation\":\"hardDelete\"}",
         400,
         {"0.errorCode=FEATURENOTENABLED"}},
        {"GET", INGEST "/7508d00000JoB01AAF", NULL, 404, {NULL}},
        {"GET", INGEST "/0038d00000BqTzKAAV", NULL, 404, {NULL}},
        {"GET", DATA "/jobs/nothing", NULL, 404, {NULL}},
        {"POST", INGEST, "{}", 401, {"0.errorCode=INVALID_SESSION_ID"}, .token = "wrong"}, )

JOURNEY(
    jobs_are_listed_and_forgotten, AT_ONCE,
    {"GET", INGEST, NULL, 200, {"records#0", "done=true", "nextRecordsUrl=null"}}, INSERT,
    UPLOAD("LastName\nIto\n"), CLOSE, INSERT,
    {"GET", INGEST, NULL, 200, {"records#2", "records.0.state=JobComplete", "records.1.id=$j$"}},
    {"GET", INGEST "?jobType=Classic", NULL, 200, {"records#0"}},
    {"GET",
     INGEST "/$j$",
     NULL,
     200,
     {"state=Aborted"}, /* nothing came for a day */
     .advance_ms = DAY_MS + 1},
    {"GET", INGEST, NULL, 200, {"records#1"}, .advance_ms = 6 * DAY_MS + 1},
    {"GET", INGEST "/$j$", NULL, 404, {NULL}, .advance_ms = DAY_MS + 1}, )

/* --- rows -------------------------------------------------------------------------------------- */

JOURNEY(values_of_all_sorts, AT_ONCE, INSERT,
        UPLOAD("LastName,DoNotCall,Birthdate,Description,Title\n"
               "\"O\"\"Brien, Seán\",true,1980-02-29,\"two\nlines\",\n"),
        CLOSE, DONE("1", "0"),
        RESULT("successfulResults",
               "~,\"O\"\"Brien, Seán\",\"true\",\"1980-02-29\",\"two\nlines\",\"\"\n"),
        {"GET",
         "/__sim/state/Contact",
         NULL,
         200,
         {"records#1", "records.0.fields.LastName=O\"Brien, Seán",
          "records.0.fields.DoNotCall=true", "records.0.fields.Birthdate=1980-02-29",
          "records.0.fields.Description=two\nlines", "records.0.fields.Title=null"}}, )

JOURNEY(empty_leaves_alone_and_not_available_clears, AT_ONCE,
        MAKE("a", "Contact", "{\"LastName\":\"Ito\",\"Title\":\"Buyer\",\"Phone\":\"1\"}"), UPDATE,
        UPLOAD("Id,LastName,Title,Phone\n$a$,Mori,#N/A,\n"), CLOSE, DONE("1", "0"),
        RESULT("successfulResults", "~\"$a$\",\"false\",\"$a$\",\"Mori\",\"#N/A\",\"\"\n"),
        {"GET", CONTACTS "/$a$", NULL, 200, {"LastName=Mori", "Title=null", "Phone=1"}}, )

JOURNEY(
    each_row_fails_for_itself, AT_ONCE, INSERT,
    UPLOAD("FirstName,LastName,Email\nOnly,,\nMai,Ito,mai@a.example\nKen,Mori,nowhere\n"
           "bad\"cell,x,y\nshort,row\nZ,Abe,\n"),
    CLOSE, DONE("6", "4"),
    RESULT("failedResults",
           "~\"\",\"REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --\","
           "\"Only\",\"\",\"\"\n",
           "~\"INVALID_EMAIL_ADDRESS:", "~Found unescaped quote",
           "~The number of cells is not that of the header:--\",\"short\",\"row\",\"\"\n"),
    RESULT("successfulResults", "~\"true\",\"Mai\",\"Ito\",\"mai@a.example\"\n",
           "~\"true\",\"Z\",\"Abe\",\"\"\n"),
    RESULT("unprocessedrecords", "=FirstName,LastName,Email\n"), )

JOURNEY(an_upsert_finds_by_its_key, AT_ONCE,
        MAKE("a", "Contact", "{\"LastName\":\"Ito\",\"Email\":\"a@x.example\"}"), UPSERT,
        UPLOAD("Email,LastName\na@x.example,Mori\nb@x.example,New\n,Nobody\ntwin@x.example,One\n"
               "twin@x.example,Two\n"),
        CLOSE, DONE("5", "3"), NAMED("$a$", "Mori"),
        RESULT("successfulResults", "~\"$a$\",\"false\",\"a@x.example\",\"Mori\"\n",
               "~\"true\",\"b@x.example\",\"New\"\n"),
        RESULT("failedResults", "~MISSING_ARGUMENT:Email not specified:Email --",
               "~DUPLICATE_VALUE:Duplicate external id specified: twin@x.example:Email --\",\"twin@"
               "x.example\",\"One\"",
               "~\"twin@x.example\",\"Two\""), )

JOURNEY(an_update_needs_ids, AT_ONCE, MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"), UPDATE,
        UPLOAD("Id,LastName\n0038d00000BqTzKAAV,x\n,y\n$a$,\n"), CLOSE, DONE("3", "2"),
        RESULT("failedResults", "~\"0038d00000BqTzKAAV\",\"",
               "~MISSING_ARGUMENT:Id not specified in an update call:Id --"),
        UPDATE, UPLOAD("LastName\nx\n"), CLOSE, FAILS("InvalidBatch : Field name not found : Id"), )

JOURNEY(deletes, AT_ONCE, MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"),
        MAKE("b", "Contact", "{\"LastName\":\"Mori\"}"), DELETE, UPLOAD("Id\n$a$\n$a$\n"), CLOSE,
        DONE("2", "1"), RESULT("failedResults", "~ENTITY_IS_DELETED:"),
        {"POST", "/__sim/restore", "{\"object\":\"Contact\",\"id\":\"$a$\"}", 200, {NULL}}, DELETE,
        UPLOAD("Id,LastName\n$a$,x\n"), CLOSE,
        FAILS("InvalidBatch : 'delete' batches must contain only ids"),
        {"POST", "/__sim/bulk", "{\"may_hard_delete\":true}", 200, {NULL}},
        JOB("\"operation\":\"hardDelete\""), UPLOAD("Id\n$b$\n"), CLOSE, DONE("1", "0"),
        {"POST", "/__sim/restore", "{\"object\":\"Contact\",\"id\":\"$b$\"}", 400, {NULL}}, )

JOURNEY(parents_by_their_keys, AT_ONCE,
        MAKE("a", "Contact", "{\"LastName\":\"Boss\",\"Email\":\"boss@x.example\"}"),
        MAKE("p", "Account", "{\"Name\":\"Port\"}"), INSERT,
        UPLOAD("LastName,ReportsTo.Email,Account.Id\nOne,boss@x.example,$p$\nTwo,none@x.example,\n"
               "Three,#N/A,\n"),
        CLOSE, DONE("3", "1"),
        RESULT("failedResults",
               "~Foreign key external ID: none@x.example not found for field Email in "
               "entity Contact"),
        {"GET",
         "/__sim/state/Contact",
         NULL,
         200,
         {"records.1.fields.ReportsToId=$a$", "records.1.fields.AccountId=$p$",
          "records.2.fields.LastName=Three", "records.2.fields.ReportsToId=null"}},
        INSERT, UPLOAD("LastName,Contact:ReportsTo.Email\nx,boss@x.example\n"), CLOSE,
        FAILS("InvalidBatch : type is not needed for non polymorphic foreign key : "
              "Contact:ReportsTo.Email"),
        INSERT, UPLOAD("LastName,ReportsTo.Title\nx,y\n"), CLOSE,
        FAILS("InvalidBatch : Field name not found : ReportsTo.Title"),
        {"POST", INGEST, "{\"object\":\"Task\",\"operation\":\"insert\"}", 200, {NULL}, "j=id"},
        UPLOAD("Subject,Contact:Who.Email\nCall,boss@x.example\n"), CLOSE, DONE("1", "0"),
        {"GET", "/__sim/state/Task", NULL, 200, {"records.0.fields.WhoId=$a$"}},
        {"POST", INGEST, "{\"object\":\"Task\",\"operation\":\"insert\"}", 200, {NULL}, "j=id"},
        UPLOAD("Subject,Lead:Who.Email\nCall,boss@x.example\n"), CLOSE, DONE("1", "1"),
        {"POST", INGEST, "{\"object\":\"Task\",\"operation\":\"insert\"}", 200, {NULL}, "j=id"},
        UPLOAD("Subject,Who.Email\nCall,boss@x.example\n"), CLOSE,
        FAILS("InvalidBatch : type is needed for polymorphic foreign key : Who.Email"), )

/* --- the file as a whole ----------------------------------------------------------------------- */

JOURNEY(
    delimiters_and_line_ends, AT_ONCE,
    JOB("\"operation\":\"insert\",\"columnDelimiter\":\"SEMICOLON\",\"lineEnding\":\"CRLF\""),
    UPLOAD("LastName;Title\r\nIto;a,b\r\n\"Mo\nri\";\"c;d\"\r\n"), CLOSE, DONE("2", "0"),
    RESULT("successfulResults", "~\"sf__Id\";\"sf__Created\";LastName;Title\r\n",
           "~\"true\";\"Ito\";\"a,b\"\r\n", "~\"true\";\"Mo\nri\";\"c;d\"\r\n"),
    INSERT, UPLOAD("LastName\r\nIto\r\n"), CLOSE,
    FAILS(
        "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF"),
    JOB("\"operation\":\"insert\",\"lineEnding\":\"CRLF\""), UPLOAD("LastName\r\nIto\n"), CLOSE,
    FAILS("ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is "
          "CRLF"),
    RESULT("unprocessedrecords", "=LastName\r\n\"Ito\"\r\n"), INSERT,
    UPLOAD("LastName,Nickname\nIto,x\n"), CLOSE,
    FAILS("InvalidBatch : Field name not found : Nickname"),
    RESULT("unprocessedrecords", "=LastName,Nickname\n\"Ito\",\"x\"\n"), INSERT,
    UPLOAD("LastName,lastname\nIto,x\n"), CLOSE,
    FAILS("InvalidBatch : Duplicate field name : lastname"), INSERT, CLOSE,
    FAILS("InvalidBatch : The job has no content"), )

static struct str many_rows(struct arena *arena, const char *header, const char *format,
                            size_t count)
{
    struct buf text;
    struct str ret;

    buf_init(&text, 1 << 26);
    buf_addf(&text, "%s\n", header);
    for (size_t i = 0; i < count; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        buf_addf(&text, format, i, i);
#pragma GCC diagnostic pop
    }
    ret = arena_str(arena, buf_str(&text));
    buf_fini(&text);
    return ret;
}

/* Uploads and closes; the job is saved as "j". */
static void load(struct journey *journey, const struct step *job, struct str rows)
{
    static const struct step close = CLOSE;

    journey_step(journey, job, 0);
    journey_send_with(journey, "PUT", journey_fill(journey, INGEST "/$j$/batches"), rows, NULL,
                      STR(CSV));
    assert_int_equal(journey->last.status, 201);
    journey_step(journey, &close, 1);
}

/* Chunks of 200 one after the other; what was not begun when the job was aborted comes back unprocessed. */
static void an_abort_keeps_what_was_written(void **state)
{
    static const struct step job = INSERT;
    static const struct step rest[] = {
        {"GET",
         INGEST "/$j$",
         NULL,
         200,
         {"state=InProgress", "numberRecordsProcessed=400"},
         .advance_ms = 305},
        {"PATCH", INGEST "/$j$", "{\"state\":\"Aborted\"}", 200, {"state=Aborted"}},
        {"GET",
         INGEST "/$j$",
         NULL,
         200,
         {"state=Aborted", "numberRecordsProcessed=400"},
         .advance_ms = HOUR_MS},
        RESULT("unprocessedrecords", "~LastName,Title\n", "~\"n-400\",\"t-400\"\n",
               "~\"n-999\",\"t-999\"\n"),
        RESULT("successfulResults", "~\"n-399\""),
    };
    struct journey journey;

    (void)state;
    journey_begin(&journey, simulator_salesforce_new, &(struct simulator_options){.seed = 7});
    load(&journey, &job, many_rows(&journey.arena, "LastName,Title", "n-%zu,t-%zu\n", 1000));
    journey_walk(&journey, rest, COUNT_OF(rest));
    assert_null(memmem(journey.last.body.at, journey.last.body.len, "\"n-400\"", 7));
    journey_end(&journey);
}

/* The order of the results is another one than that of the upload, and nothing is lost or doubled. */
static void results_come_shuffled(void **state)
{
    static const struct step job = INSERT, at_once = AT_ONCE;
    static const struct step rest[] = {DONE("1000", "0"),
                                       RESULT("successfulResults", "~\"n-0\"", "~\"n-999\"")};
    struct journey journey;
    size_t inversions = 0, rows = 0;
    int64_t before = -1;
    struct str body;

    (void)state;
    journey_begin(&journey, simulator_salesforce_new, &(struct simulator_options){.seed = 7});
    journey_step(&journey, &at_once, 0);
    load(&journey, &job, many_rows(&journey.arena, "LastName,Title", "n-%zu,t-%zu\n", 1000));
    journey_walk(&journey, rest, COUNT_OF(rest));
    body = journey.last.body;
    str_cut(&body, '\n');
    while (body.len) {
        struct str line = str_cut(&body, '\n');
        const char *at = memmem(line.at, line.len, "\"n-", 3);
        int64_t number = strtoll(at + 3, NULL, 10);

        inversions += number < before;
        before = number;
        rows++;
    }
    assert_int_equal(rows, 1000);
    assert_in_range(inversions, 300, 700);
    journey_end(&journey);
}

/* 100,000 rows in the time of a slow test; how long it took is printed. */
static void a_hundred_thousand_rows(void **state)
{
    static const struct step job = UPSERT, at_once = AT_ONCE, done = DONE("100000", "0");
    struct clock *real = clock_new_real();
    struct journey journey;
    int64_t began_ms, took_ms;

    (void)state;
    journey_begin(&journey, simulator_salesforce_new, &(struct simulator_options){.seed = 7});
    journey_step(&journey, &at_once, 0);
    began_ms = clock_mono_ms(real);
    load(&journey, &job,
         many_rows(&journey.arena, "Email,LastName", "n-%zu@x.example,name %zu\n", 100000));
    journey_step(&journey, &done, 2);
    took_ms = clock_mono_ms(real) - began_ms;
    print_message("100000 rows in %lld ms\n", (long long)took_ms);
    assert_true(took_ms < 60000);
    journey_end(&journey);
    clock_free(real);
}

/* --- queries ----------------------------------------------------------------------------------- */

#define QUERY DATA "/jobs/query"
#define ASK(soql) ASK_FOR("query", soql, "")
#define ASK_FOR(operation, soql, more)                                                             \
    {                                                                                              \
        "POST", QUERY, "{\"operation\":\"" operation "\",\"query\":\"" soql "\"" more "}", 200,    \
            {"state=UploadComplete", "object=Contact"}, "j=id"                                     \
    }
#define ANSWERED(records)                                                                          \
    {                                                                                              \
        "GET", QUERY "/$j$", NULL, 200,                                                            \
        {                                                                                          \
            "state=JobComplete", "numberRecordsProcessed=" records, "jobType=V2Query",             \
                "numberRecordsFailed!", "contentUrl!"                                              \
        }                                                                                          \
    }

JOURNEY(a_query_job_answers_in_pages, AT_ONCE, MAKE("p", "Account", "{\"Name\":\"Po\\\"rt\"}"),
        MAKE("a", "Contact", "{\"LastName\":\"One\",\"AccountId\":\"$p$\"}"),
        MAKE("b", "Contact", "{\"LastName\":\"Two\"}"),
        MAKE("c", "Contact", "{\"LastName\":\"Three\"}"),
        {"DELETE", CONTACTS "/$b$", NULL, 204, {NULL}},
        ASK("SELECT Id, LastName, Account.Name, DoNotCall, CreatedDate FROM Contact ORDER BY Id"),
        ANSWERED("2"),
        {"GET",
         QUERY "/$j$/results",
         NULL,
         200,
         {"=\"Id\",\"LastName\",\"Account.Name\",\"DoNotCall\",\"CreatedDate\"\n"
          "\"$a$\",\"One\",\"Po\"\"rt\",\"false\",\"2026-11-21T07:00:00.000Z\"\n"
          "\"$c$\",\"Three\",\"\",\"false\",\"2026-11-21T07:00:00.000Z\"\n",
          "@Sforce-Locator=null", "@Sforce-NumberOfRecords=2",
          "@Content-Type=text/csv; charset=UTF-8"}},
        ASK_FOR("queryAll", "SELECT LastName, IsDeleted FROM Contact ORDER BY Id",
                ",\"lineEnding\":\"CRLF\",\"columnDelimiter\":\"CARET\""),
        ANSWERED("3"),
        {"GET",
         QUERY "/$j$/results?maxRecords=2",
         NULL,
         200,
         {"=\"LastName\"^\"IsDeleted\"\r\n\"One\"^\"false\"\r\n\"Two\"^\"true\"\r\n",
          "@Sforce-NumberOfRecords=2"},
         "l=@Sforce-Locator"},
        {"GET",
         QUERY "/$j$/results?maxRecords=2&locator=$l$",
         NULL,
         200,
         {"=\"LastName\"^\"IsDeleted\"\r\n\"Three\"^\"false\"\r\n", "@Sforce-Locator=null",
          "@Sforce-NumberOfRecords=1"}},
        {"GET",
         QUERY "/$j$/results?locator=nonsense",
         NULL,
         400,
         {"0.errorCode=INVALID_QUERY_LOCATOR"}},
        {"GET", QUERY "/$j$/results?maxRecords=0", NULL, 400, {NULL}},
        {"GET", "/services/data/v65.0/jobs/query/$j$/results", NULL, 409, {NULL}},
        {"GET", "/services/data/v65.0/jobs/query/$j$", NULL, 200, {NULL}},
        {"GET", INGEST "/$j$", NULL, 404, {NULL}}, )

JOURNEY(pages_in_parallel, AT_ONCE, {"POST", "/__sim/bulk", "{\"page_rows\":1}", 200, {NULL}},
        MAKE("a", "Contact", "{\"LastName\":\"1\"}"), MAKE("a", "Contact", "{\"LastName\":\"2\"}"),
        MAKE("a", "Contact", "{\"LastName\":\"3\"}"), MAKE("a", "Contact", "{\"LastName\":\"4\"}"),
        MAKE("a", "Contact", "{\"LastName\":\"5\"}"), MAKE("a", "Contact", "{\"LastName\":\"6\"}"),
        ASK("SELECT LastName FROM Contact ORDER BY Id"),
        {"GET",
         QUERY "/$j$/resultPages",
         NULL,
         200,
         {"resultPages#5", "done=false"},
         "f=resultPages.4.resultUrl;n=nextRecordsUrl"},
        {"GET", "$f$", NULL, 200, {"=\"LastName\"\n\"5\"\n"}},
        {"GET",
         "$n$",
         NULL,
         200,
         {"resultPages#1", "done=true", "nextRecordsUrl=null"},
         "f=resultPages.0.resultUrl"},
        {"GET", "$f$", NULL, 200, {"=\"LastName\"\n\"6\"\n", "@Sforce-Locator=null"}}, )

JOURNEY(a_query_job_takes_its_time, MAKE("a", "Contact", "{\"LastName\":\"Ito\"}"),
        ASK("SELECT Id FROM Contact"),
        {"GET", QUERY "/$j$/results", NULL, 400, {"0.errorCode=INVALIDJOBSTATE"}},
        {"DELETE", QUERY "/$j$", NULL, 400, {"0.errorCode=API_ERROR"}},
        MAKE("b", "Contact", "{\"LastName\":\"Mori\"}"),
        {"GET",
         QUERY "/$j$",
         NULL,
         200,
         {"state=InProgress", "numberRecordsProcessed=2"},
         .advance_ms = 300},
        {"GET", QUERY "/$j$", NULL, 200, {"state=JobComplete"}, .advance_ms = 2},
        {"PATCH",
         QUERY "/$j$",
         "{\"state\":\"Aborted\"}",
         400,
         {"0.errorCode=INVALIDJOBSTATE", "0.message=Aborting already Completed Job not allowed"}},
        {"DELETE", QUERY "/$j$", NULL, 204, {NULL}}, ASK("SELECT Id FROM Contact"),
        {"PATCH", QUERY "/$j$", "{\"state\":\"UploadComplete\"}", 400, {NULL}},
        {"PATCH", QUERY "/$j$", "{\"state\":\"Aborted\"}", 200, {"state=Aborted"}},
        {"GET", QUERY "/$j$/results", NULL, 400, {NULL}}, )

JOURNEY(quotas_are_those_of_the_day, AT_ONCE,
        {"GET",
         DATA "/limits",
         NULL,
         200,
         {"DailyBulkApiBatches.Remaining=15000", "DailyBulkV2QueryJobs.Remaining=10000"}},
        INSERT, UPLOAD("LastName\nIto\n"), CLOSE, ASK("SELECT Id FROM Contact"),
        {"GET",
         DATA "/limits",
         NULL,
         200,
         {"DailyBulkApiBatches.Remaining=14999", "DailyBulkV2QueryJobs.Remaining=9999"}},
        {"GET",
         DATA "/limits",
         NULL,
         200,
         {"DailyBulkApiBatches.Remaining=15000"},
         .advance_ms = DAY_MS}, )

#define REFUSES(soql, ...)                                                                         \
    {                                                                                              \
        "POST", QUERY, "{\"operation\":\"query\",\"query\":\"" soql "\"}", 400,                    \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
JOURNEY(what_a_query_job_cannot_answer,
        REFUSES("SELECT Nickname FROM Contact", "0.errorCode=INVALID_FIELD"),
        REFUSES("SELECT Id FROM Contact WHERE LastName = 'O'Brien'", "0.errorCode=MALFORMED_QUERY"),
        REFUSES("SELECT MailingAddress FROM Contact", "0.message~Selecting compound data"),
        REFUSES("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "0.message~Aggregate"),
        REFUSES("SELECT COUNT() FROM Contact", "0.message~Aggregate"),
        REFUSES("SELECT Id FROM Contact LIMIT 5 OFFSET 5", "0.message~OFFSET"),
        {"POST", QUERY, "{\"operation\":\"insert\",\"query\":\"x\"}", 400, {NULL}},
        {"POST", QUERY, "{\"operation\":\"query\"}", 400, {"0.errorCode=MALFORMED_QUERY"}}, )

/* --- what others see of it --------------------------------------------------------------------- */

JOURNEY(
    changes_have_their_origin, AT_ONCE,
    {"POST", "/__sim/events", "{\"selected\":[\"Contact\"]}", 200, {NULL}},
    {"POST",
     "/cometd/66.0",
     "[{\"channel\":\"/meta/handshake\"}]",
     200,
     {NULL},
     "c=0.clientId;k=@Set-Cookie"},
    {"POST",
     "/cometd/66.0",
     "[{\"channel\":\"/meta/subscribe\",\"clientId\":\"$c$\",\"subscription\":"
     "\"/data/ChangeEvents\"}]",
     200,
     {"0.successful=true"},
     .headers = "Cookie: $k$"},
    {"POST",
     "/services/data/v58.0/jobs/ingest",
     "{\"object\":\"Contact\",\"operation\":\"insert\"}",
     200,
     {"apiVersion=58.0"},
     "j=id",
     .headers = "Sforce-Call-Options: client=acme-sync"},
    UPLOAD("LastName\nIto\nMori\n"), CLOSE, DONE("2", "0"),
    {"POST",
     "/cometd/66.0",
     "[{\"channel\":\"/meta/connect\",\"clientId\":\"$c$\",\"connectionType\":\"long-polling\"}]",
     200,
     {"0.data.payload.ChangeEventHeader.changeOrigin=com/salesforce/api/bulkapi/58.0;client="
      "acme-sync",
      "0.data.payload.Name.LastName=Ito", "1.data.payload.Name.LastName=Mori",
      "1.data.payload.ChangeEventHeader.sequenceNumber=2"},
     .headers = "Cookie: $k$"}, )

JOURNEY(who_only_reads_loads_nothing, AT_ONCE,
        {"POST",
         INGEST,
         "{\"object\":\"Contact\",\"operation\":\"insert\"}",
         200,
         {NULL},
         "j=id",
         .token = "simulated-salesforce-token.readonly"},
        UPLOAD("LastName\nIto\n"), CLOSE, DONE("1", "1"),
        RESULT("failedResults", "~INSUFFICIENT_ACCESS_OR_READONLY:"), )

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_open_to_complete),
        cmocka_unit_test(what_a_state_does_not_allow),
        cmocka_unit_test(what_is_no_job),
        cmocka_unit_test(jobs_are_listed_and_forgotten),
        cmocka_unit_test(values_of_all_sorts),
        cmocka_unit_test(empty_leaves_alone_and_not_available_clears),
        cmocka_unit_test(each_row_fails_for_itself),
        cmocka_unit_test(an_upsert_finds_by_its_key),
        cmocka_unit_test(an_update_needs_ids),
        cmocka_unit_test(deletes),
        cmocka_unit_test(parents_by_their_keys),
        cmocka_unit_test(delimiters_and_line_ends),
        cmocka_unit_test(an_abort_keeps_what_was_written),
        cmocka_unit_test(results_come_shuffled),
        cmocka_unit_test(a_hundred_thousand_rows),
        cmocka_unit_test(a_query_job_answers_in_pages),
        cmocka_unit_test(pages_in_parallel),
        cmocka_unit_test(a_query_job_takes_its_time),
        cmocka_unit_test(quotas_are_those_of_the_day),
        cmocka_unit_test(what_a_query_job_cannot_answer),
        cmocka_unit_test(changes_have_their_origin),
        cmocka_unit_test(who_only_reads_loads_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
