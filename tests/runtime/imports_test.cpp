// Tables of `sojourn import`: how they are read, and what messages their rows are.

#include "journeys/packed.hpp"
#include "runtime/imports/import_rows.hpp"
#include "runtime/imports/product_table.hpp"
#include "schema/csv_reader.hpp"
#include "schema/message_json.hpp"
#include "schema/timestamp_text.hpp"

#include <catch2/catch.hpp>

#include <sstream>

using journeys::PackedView;
using schema::CsvReader;

namespace {

using Cells = std::vector<std::string>;

/// Every row as its cells, or `!` and why it is bad.
std::vector<Cells> rows_of(const std::string& text) {
    std::istringstream in{text};
    auto table = CsvReader::open(in);
    if (!table) return {{"! " + table.error().detail}};
    std::vector<Cells> rows;
    while (true) {
        const auto row = table->next();
        if (row == CsvReader::Row::end) return rows;
        Cells cells;
        if (row == CsvReader::Row::bad)
            cells = {"! " + std::to_string(table->line()) + " " + table->why()};
        else
            for (std::size_t i = 0; i < table->header().size(); ++i)
                cells.emplace_back(table->cell(i));
        rows.push_back(std::move(cells));
    }
}

journeys::Settings settings() {
    journeys::Settings made;
    made.channels = {{.name = "email", .address = "email"},
                     {.name = "sms", .address = "phone"},
                     {.name = "push", .address = "push_token"},
                     {.name = "crm", .address = ""}};
    made.topics = {"offers"};
    return made;
}

struct Imported {
    std::vector<journeys::Event> events;
    std::string why;         ///< Why the row was refused.
    std::string suppression; ///< Of an address, whoever it belongs to.
};

const auto now = *schema::parse_producer_time("2026-11-20T12:00:00Z");

/// The messages of a table's only row, as the service decodes them.
Imported import(const std::string& kind, const std::string& text) {
    const auto rules = settings();
    std::istringstream in{text};
    auto table = CsvReader::open(in);
    REQUIRE(table.has_value());
    const auto rows = runtime::open_import(kind, *table, rules, now);
    if (!rows) return {{}, rows.error().detail, {}};
    REQUIRE(table->next() == CsvReader::Row::read);
    std::string messages = "{\"batch\":[";
    const auto made = (*rows)->append(*table, messages);
    if (!made) return {{}, made.error().detail, {}};
    messages.back() = ']';
    messages += '}';
    schema::MessageDecoder decoder;
    schema::Envelope envelope;
    envelope.received_at = *schema::parse_producer_time("2026-11-20");
    envelope.imported = true;
    auto frame = decoder.decode(messages, envelope);
    if (!frame) FAIL(messages << ": " << frame.error().detail);
    CHECK(frame->items.size() == *made);
    Imported result;
    result.suppression = (*rows)->suppression();
    for (auto& item : frame->items) {
        if (!item.event) FAIL(item.event.error().detail);
        result.events.push_back(std::move(*item.event));
    }
    return result;
}

} // namespace

TEST_CASE("a table is read as RFC 4180 has it", "[imports]") {
    CHECK(rows_of("a,b\n1,2\n3,4") == std::vector<Cells>{{"1", "2"}, {"3", "4"}});
    CHECK(rows_of("\xEF\xBB\xBF"
                  "a;b\r\n1;2,5\r\n\r\n;\r\n") == std::vector<Cells>{{"1", "2,5"}, {"", ""}});
    CHECK(rows_of("a\tb\n1\t2\n") == std::vector<Cells>{{"1", "2"}});
    CHECK(rows_of("a,b\n\"x,\"\"y\"\"\",\"two\nlines\"\n 1 , \"2\" \n") ==
          std::vector<Cells>{{"x,\"y\"", "two\nlines"}, {"1", "2"}});
    CHECK(rows_of("A , B\n1,2\n") == std::vector<Cells>{{"1", "2"}});
    CHECK(rows_of("a,b\n1\n1,2,3\n4,5\n") ==
          std::vector<Cells>{{"! 2 1 cells where the header names 2"},
                             {"! 3 3 cells where the header names 2"},
                             {"4", "5"}});
    CHECK(rows_of("a,b\n1,\"2\n3") == std::vector<Cells>{{"! 2 a quoted cell does not end"}});
    CHECK(rows_of("") == std::vector<Cells>{{"! there is no header that names the columns"}});
    CHECK(rows_of("a,A\n") == std::vector<Cells>{{"! the column a is named twice"}});
    const auto long_row = rows_of("a\n" + std::string(CsvReader::row_bytes_max + 1, 'x') + "\n1\n" +
                                  std::string(CsvReader::row_bytes_max, 'y') + "\n");
    REQUIRE(long_row.size() == 3);
    CHECK(long_row[0][0] == "! 2 the row is longer than 64 KiB");
    CHECK(long_row[1] == Cells{"1"});
    CHECK(long_row[2][0].size() == CsvReader::row_bytes_max);
}

TEST_CASE("a hostile table costs its own rows, and bounded memory", "[imports]") {
    const auto rows = rows_of("a,b\nM\xfcller,1\nM\xc3\xbcller,2\n");
    REQUIRE(rows.size() == 2);
    CHECK_THAT(rows[0][0], Catch::StartsWith("! 2 the text is not UTF-8"));
    CHECK(rows[1] == Cells{"M\xc3\xbcller", "2"});

    // A line without an end, with a quote that ends far behind what is kept.
    const std::string endless(10 * CsvReader::row_bytes_max, 'x');
    CHECK(rows_of("a,b\n" + endless) == std::vector<Cells>{{"! 2 the row is longer than 64 KiB"}});
    const auto behind = rows_of("a,b\n\"" + endless + "\n" + endless + "\",1\n2,3\n");
    REQUIRE(behind.size() == 2);
    CHECK(behind[0] == Cells{"! 2 the row is longer than 64 KiB"});
    CHECK(behind[1] == Cells{"2", "3"});
    CHECK(rows_of(endless + "\n1\n") ==
          std::vector<Cells>{{"! the header: the row is longer than 64 KiB"}});
    CHECK_THAT(import("orders", "customer_id,date,amount\n7,2020-01-01,1e400\n").why,
               Catch::Contains("amount is above"));
    CHECK(import("orders", "customer_id,date,amount\n7,2020-01-01,1e12\n").why.empty());
}

TEST_CASE("a row knows the line on which it begins", "[imports]") {
    std::istringstream in{"a,b\n\n1,\"x\ny\"\n2,z\n"};
    auto table = CsvReader::open(in);
    REQUIRE(table.has_value());
    CHECK(table->next() == CsvReader::Row::read);
    CHECK(table->line() == 3);
    CHECK(table->next() == CsvReader::Row::read);
    CHECK(table->line() == 5);
}

TEST_CASE("an order of the system before is an order of its day", "[imports]") {
    const auto made = import("orders", "customer_id,email,order_id,date,amount,currency,products\n"
                                       "7,Ada@example.com,o-1,1999-05-17,1234.5,EUR,A-1*2 B-7\n");
    REQUIRE(made.events.size() == 1);
    const auto& order = made.events[0];
    CHECK(order.name == "Order Completed");
    CHECK(order.ids ==
          std::vector<journeys::CustomerId>{{journeys::IdNamespace::user, "7"},
                                            {journeys::IdNamespace::email, "ada@example.com"}});
    CHECK(order.time == *schema::parse_producer_time("1999-05-17"));    // No clock to be corrected.
    CHECK(order.written == *schema::parse_producer_time("2026-11-20")); // For the dedup window.
    CHECK(order.deduplicate);
    CHECK(order.property("total").as_double() == 1234.5);
    CHECK(order.property("products").size() == 2);
    CHECK(order.property("products").at(0).find("quantity").as_int() == 2);

    SECTION("the same row is the same message, whatever stands around it") {
        const auto again = import("orders", "x,customer_id,date,amount\ny,7,2020-01-01,1\n");
        CHECK(again.events[0].message_hash ==
              import("orders", "x,customer_id,date,amount\ny,7,2020-01-01,1\nz,8,2020-01-01,1\n")
                  .events[0]
                  .message_hash);
        CHECK(again.events[0].message_hash !=
              import("orders", "x,customer_id,date,amount\ny,7,2020-01-01,2\n")
                  .events[0]
                  .message_hash);
    }
    SECTION("cancelled and refunded ones are two messages") {
        const auto cancelled = import("orders", "customer_id,order_id,date,amount,status\n"
                                                "7,o,2020-01-01,1,cancelled\n");
        REQUIRE(cancelled.events.size() == 2);
        CHECK(cancelled.events[1].name == "Order Cancelled");
        CHECK(cancelled.events[0].message_hash != cancelled.events[1].message_hash);
    }
}

TEST_CASE("a row that says nothing sure is refused, with what is wrong", "[imports]") {
    const auto why = [](const std::string& row) {
        return import("orders",
                      "customer_id,email,phone,date,amount,status,products\n" + row + "\n")
            .why;
    };
    CHECK(why("7,,,2020-01-01,1,,") == "");
    CHECK(why(",,,2020-01-01,1,,") == "the row names nobody");
    CHECK(why("7,none,,2020-01-01,1,,") == "email is no address");
    CHECK_THAT(why("7,,0170,2020-01-01,1,,"), Catch::Contains("phone"));
    CHECK_THAT(why("7,,,01.02.2020,1,,"), Catch::Contains("date"));
    CHECK_THAT(why("7,,,,1,,"), Catch::Contains("date is missing"));
    CHECK_THAT(why("7,,,2020-01-01,-1,,"), Catch::Contains("refunded"));
    CHECK_THAT(why("7,,,2020-01-01,one,,"), Catch::Contains("amount"));
    CHECK_THAT(why("7,,,2020-01-01,1,lost,"), Catch::Contains("status"));
    CHECK_THAT(why("7,,,2020-01-01,1,,A*0"), Catch::Contains("quantity"));
    CHECK_THAT(why("7,,,2027-12-31,1,,"), Catch::Contains("2027-12-31\" has not come yet"));
    CHECK(why("7,,,2026-11-21,1,,") == ""); // It is that day already somewhere.
    for (const auto* currency : {"EURO", "E", "€", "EU1"}) {
        INFO(currency);
        CHECK_THAT(import("orders", "customer_id,date,amount,currency\n7,2020-01-01,1," +
                                        std::string{currency} + "\n")
                       .why,
                   Catch::Contains("currency"));
    }
    CHECK_THAT(import("orders", "customer_id,date\n7,2020-01-01\n").why,
               Catch::Contains("amount       what was paid"));
    CHECK_THAT(import("things", "customer_id\n7\n").why, Catch::Contains("orders, consent"));
}

TEST_CASE("an order is of one customer", "[imports]") {
    std::istringstream in{"customer_id,email,order_id,date,amount,status\n"
                          "7,,o-1,2020-01-01,1,\n"
                          "8,,o-1,2020-01-01,1,\n"
                          "7,,o-1,2020-01-01,1,refunded\n"
                          ",ada@example.com,o-1,2020-01-02,1,\n"
                          ",ada@example.com,o-2,2020-01-02,1,\n"
                          "7,eve@example.com,o-2,2020-01-02,1,\n"
                          "8,,,2020-01-01,1,\n"
                          "9,,,2020-01-01,1,\n"};
    auto table = CsvReader::open(in);
    REQUIRE(table.has_value());
    const auto rules = settings();
    const auto rows = runtime::open_import("orders", *table, rules, now);
    REQUIRE(rows.has_value());
    std::vector<std::string> refused;
    std::string messages;
    while (table->next() != CsvReader::Row::end)
        if (const auto made = (*rows)->append(*table, messages); !made)
            refused.push_back(std::to_string(table->line()) + ' ' + made.error().detail);
    CHECK(refused == Cells{"3 order_id: \"o-1\" is of another customer on line 2",
                           "7 order_id: \"o-2\" is of another customer on line 6"});
}

TEST_CASE("a consent keeps its date and where it was given", "[imports]") {
    const auto made =
        import("consent", "email,channel,topic,state,at,source,confirmed\n"
                          "ada@example.com,email,offers,subscribed,2021-02-03,form 7,true\n");
    REQUIRE(made.events.size() == 1);
    const PackedView traits{made.events[0].traits};
    CHECK(traits.string_at("email") == "ada@example.com");
    const auto word = traits.find("marketing_consent").find("email");
    CHECK(word.string_at("state") == "subscribed");
    CHECK(word.string_at("topic") == "offers");
    CHECK(word.string_at("at") == "2021-02-03T00:00:00.000Z");
    CHECK(word.string_at("source") == "form 7");
    CHECK(word.find("confirmed").as_bool());

    const auto why = [](const std::string& row) {
        return import("consent", "email,channel,topic,state,at\nada@example.com," + row + "\n").why;
    };
    CHECK_THAT(why("fax,,subscribed,2021-02-03"), Catch::Contains("no channel \"fax\""));
    CHECK_THAT(why("email,cats,subscribed,2021-02-03"), Catch::Contains("no topic \"cats\""));
    CHECK_THAT(why("email,,subscribd,2021-02-03"), Catch::Contains("state is"));
    CHECK_THAT(why("email,,subscribed,"), Catch::Contains("at is missing"));
    CHECK_THAT(why("email,,subscribed,2027-01-01"), Catch::Contains("has not come yet"));
}

TEST_CASE("a suppressed address is what a provider would have reported", "[imports]") {
    const auto made = [](const std::string& row) {
        return import("suppressions", "email,phone,channel,reason,at\n" + row + "\n");
    };
    const auto bounce = made("Ada@example.com,,email,bounce,2021-02-03");
    REQUIRE(bounce.events.size() == 1);
    CHECK(bounce.events[0].name == "Email Bounced");
    CHECK(bounce.events[0].property("bounce_type").as_string() == "hard");
    CHECK(bounce.events[0].ids.at(0).value == "ada@example.com");
    CHECK(made("ada@example.com,,email,complaint,2021-02-03").events.at(0).name ==
          "Email Marked as Spam");
    const auto stop = made(",+49 170 12345678,sms,stop,2021-02-03");
    REQUIRE(stop.events.size() == 1);
    CHECK(stop.events[0].name == "Unsubscribed");
    CHECK(stop.events[0].property("channel").as_string() == "sms");
    CHECK(stop.events[0].property("stop").as_bool());
    CHECK(stop.events[0].property("address").is_number());
    CHECK(stop.events[0].property("reason").as_string() == "stop");
    CHECK(made("ada@example.com,,email,,2021-02-03").events.at(0).property("reason").as_string() ==
          "import");
    CHECK_THAT(made("ada@example.com,,email,whim,2021-02-03").why, Catch::Contains("reason is"));
}

TEST_CASE("an address is suppressed whoever it belongs to; what names none, for the customer",
          "[imports]") {
    const auto made = [](const std::string& row) {
        return import("suppressions", "customer_id,email,phone,address,channel,reason,at\n" + row +
                                          ",2021-02-03\n");
    };
    CHECK(made(",Ada@example.com,,,email,bounce").suppression ==
          R"({"kind":"email","address":"ada@example.com","reason":"bounce"})");
    CHECK(made(",,+49 170 12345678,,sms,stop").suppression ==
          R"({"kind":"phone","address":"+4917012345678","reason":"stop"})");
    CHECK(made(",ada@example.com,,,email,").suppression ==
          R"({"kind":"email","address":"ada@example.com","reason":"import"})");
    CHECK(made(",ada@example.com,,,email,unsubscribe").suppression.empty()); // A person's word.

    // An e-mail address says nothing of a device: the customer's channel is meant.
    const auto push = made("7,ada@example.com,,,push,stop");
    CHECK(push.suppression.empty());
    REQUIRE(push.events.size() == 1);
    CHECK_FALSE(push.events[0].property("address").is_number());
    const auto device = made("7,,,Token-1,push,bounce");
    CHECK(device.suppression == R"({"kind":"push_token","address":"Token-1","reason":"bounce"})");
    CHECK(device.events.at(0).property("address").is_number());
    CHECK_THAT(made("7,ada@example.com,,,push,bounce").why,
               Catch::Contains("which push_token bounced?"));
    CHECK_THAT(made("7,,,a b,push,stop").why, Catch::Contains("address is no push_token"));
    CHECK_THAT(made("7,,,none,email,stop").why, Catch::Contains("address is no email"));
    const auto crm = made("7,ada@example.com,,,crm,stop");
    CHECK(crm.suppression.empty());
    CHECK_FALSE(crm.events.at(0).property("address").is_number());
}

TEST_CASE("a table of products is a shelf for trials, and its first mistake is told", "[imports]") {
    std::istringstream table{"product_id;price;stock;available;colour\n"
                             "p1;12.50;3;true;red\n"
                             "p1;;2;;\n"};
    const auto shelf = runtime::read_product_table(table, "products.csv");
    REQUIRE(shelf.has_value());
    CHECK((*shelf)->size() == 1);
    REQUIRE((*shelf)->find("p1"));
    CHECK(journeys::to_json(journeys::PackedView{*(*shelf)->find("p1")}) ==
          R"({"id":"p1","price":12.5,"stock":2,"available":true,"properties":{"colour":"red"}})");
    CHECK_FALSE((*shelf)->find("p2"));

    std::istringstream wrong{"product_id,stock\np1,3\np2,some\n"};
    const auto refused = runtime::read_product_table(wrong, "products.csv");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().detail == "products.csv:3: stock is a whole number");
    std::istringstream none{""};
    CHECK_FALSE(runtime::read_product_table(none, "products.csv").has_value());
}
