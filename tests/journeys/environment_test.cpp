#include "journeys/environment.hpp"

#include "journeys/duration_text.hpp"
#include "journeys/expressions.hpp"

#include <map>
#include <memory>

#include <catch2/catch.hpp>

using namespace journeys;

TEST_CASE("whatever an expression may name is documented", "[environment]") {
    for (const auto scope : {Scope::entry, Scope::event, Scope::step}) {
        const auto& environment = journeys::environment(scope);
        for (const auto& variable : environment.variables()) {
            CAPTURE(variable.name);
            const bool is_offered = variable.name.find(' ') == std::string::npos;
            CHECK(is_offered == !variable.doc.empty());
        }
        for (const auto& object : environment.objects()) {
            CAPTURE(object->name);
            CHECK_FALSE(object->doc.empty());
            for (const auto& field : object->fields) {
                CAPTURE(field.name);
                CHECK_FALSE(field.doc.empty());
            }
        }
        for (const auto& function : environment.functions()) {
            CAPTURE(function.name);
            CHECK_FALSE(function.doc.empty());
        }
    }
}

TEST_CASE("the reference names everything, and says where something is missing", "[environment]") {
    const auto reference = expressions_reference();
    const auto has = [&](const std::string& part) {
        return reference.find(part) != std::string::npos;
    };
    for (const auto& variable : environment(Scope::event).variables())
        CHECK(has("| `" + variable.name + "` |"));
    for (const auto& object : environment(Scope::event).objects()) CHECK(has(object->name));
    for (const auto& function : environment(Scope::event).functions())
        CHECK(has("`" + function.name + "("));
    CHECK(has("`enter.when`, `enter.key` | `run`: there is no run yet"));
    CHECK(has("everything else in a step | `event`: no event is being applied here"));
    CHECK_FALSE(has("(none)"));
}

namespace {

/// The code in the first cell of every row below `heading`, up to the next empty line.
std::vector<std::string> first_cells(const std::string& reference, const std::string& heading) {
    std::vector<std::string> cells;
    auto at = reference.find(heading);
    REQUIRE(at != std::string::npos);
    at = reference.find("| --- |", at);
    for (at = reference.find('\n', at) + 1; reference[at] == '|';
         at = reference.find('\n', at) + 1) {
        const auto cell = reference.substr(at, reference.find(" | ", at) - at);
        for (std::size_t open = 0; (open = cell.find('`', open)) != std::string::npos;) {
            const auto close = cell.find('`', open + 1);
            cells.push_back(cell.substr(open + 1, close - open - 1));
            open = close + 1;
        }
    }
    return cells;
}

std::string mistake(const std::string& source, Scope scope = Scope::event) {
    const auto compiled = cel::compile(source, environment(scope));
    return compiled.program ? "" : compiled.issues.front().message;
}

/// A call that takes the form `count(string, string) → int` at its word.
std::string call_of(std::string form) {
    form.resize(form.find(" → "));
    const auto open = form.find('(');
    std::string call = form.substr(0, open + 1);
    for (auto at = open + 1; at < form.size();) {
        const auto end = form.find_first_of(",)", at);
        const auto type = form.substr(at, end - at);
        if (type.starts_with("list")) { // The comma of no list(...) is met: they hold one type.
            at = form.find(')', at) + 1;
            call += "[1]";
        } else {
            at = end;
            call += type == "string" ? "'24h'" : type == "int" ? "1" : "dyn(1)";
        }
        call += form[at];
        at += form[at] == ',' ? 2 : 1;
    }
    return call;
}

} // namespace

TEST_CASE("the reference names nothing that does not compile", "[environment]") {
    const auto reference = expressions_reference();
    const auto variables = first_cells(reference, "| name | type | what |");
    CHECK(variables.size() == environment(Scope::event).variables().size());
    for (const auto& name : variables) {
        INFO(name);
        CHECK(mistake(name) == "");
    }
    const std::map<std::string, std::string> paths{{"Event", "event"},
                                                   {"StoredEvent", "run.event"},
                                                   {"Sent", "run.sent.mail"},
                                                   {"Run", "run"},
                                                   {"CartItem", "cart.items[0]"},
                                                   {"Cart", "cart"},
                                                   {"OrderItem", "orders[0].items[0]"},
                                                   {"Order", "orders[0]"},
                                                   {"Session", "session"},
                                                   {"Customer", "customer"},
                                                   {"Product", "product(\"p\")"},
                                                   {"Coupon", "coupon"}};
    for (const auto& object : environment(Scope::event).objects()) {
        INFO(object->name << ": give the record a path here");
        REQUIRE(paths.contains(object->name));
        const auto fields = first_cells(reference, "\n**" + object->name + "**");
        CHECK(fields.size() == object->fields.size());
        for (const auto& field : fields) {
            INFO(field);
            const auto scope = object->name == "Coupon" ? Scope::step : Scope::event;
            CHECK(mistake(paths.at(object->name) + "." + field, scope) == "");
        }
    }
    const auto functions = first_cells(reference, "\n| function | what |\n");
    CHECK(functions.size() >= environment(Scope::event).functions().size());
    for (const auto& form : functions) {
        INFO(form);
        CHECK(mistake(call_of(form)) == "");
    }
}

TEST_CASE("the reference tells the language's own functions, numbers and limits", "[environment]") {
    const auto reference = expressions_reference();
    const auto has = [&](const std::string& part) {
        return reference.find(part) != std::string::npos;
    };
    CHECK(has("`string.startsWith(string) → bool`"));
    CHECK(has("| `exists` | whether it holds for one |"));
    CHECK(has("| `google.protobuf.Timestamp` |"));
    CHECK(has("an int (or uint) and a double is done in double"));
    CHECK(has("| bytes of an expression | 16384 |"));
    CHECK(has("| steps of an evaluation"));
    CHECK(has("| bytes of one pattern | 1000 |"));
}

TEST_CASE("an event with a long list makes no condition slow", "[environment]") {
    PackedWriter writer;
    const auto map = writer.begin_map();
    writer.key("sizes");
    const auto list = writer.begin_list();
    for (int i = 0; i < 20'000; ++i) writer.integer(1);
    writer.end_list(list, 20'000);
    writer.end_map(map, 1);
    Event event;
    event.properties = writer.take();
    const Customer customer{};
    Evaluator evaluator;
    evaluator.look_at({.customer = &customer, .event = &event});
    const auto text = [&](const std::string& source) {
        const auto compiled = cel::compile(source, environment(Scope::event));
        REQUIRE(compiled.program);
        return cel::to_text(evaluator.value(*compiled.program));
    };
    CHECK(text("sum(event.properties.sizes)") == "20000.0");
    CHECK(text("size(top(event.properties.sizes, 15000))") == "15000");
    CHECK(text("sum(top(event.properties.sizes, 3).map(x, x * 2))") == "6.0");
    const auto too_many = "error: the expression takes too many steps";
    CHECK(text("event.properties.sizes.map(x, sum(event.properties.sizes)).size()") == too_many);
    CHECK(text("event.properties.sizes.exists(x, size(top(event.properties.sizes, 2)) == 0)") ==
          too_many);
}

TEST_CASE("a product that was taken out again is no item of the cart", "[environment]") {
    Customer customer;
    Cart cart;
    cart.id = "c-1";
    using Line = std::pair<const char*, std::int64_t>;
    for (const auto& [id, quantity] : {Line{"a", 1}, Line{"b", 0}, Line{"c", 2}}) {
        CartLine line;
        line.product_id = id;
        line.quantity = quantity;
        line.price = *Money::parse("10.50");
        cart.lines.push_back(line);
    }
    customer.carts.push_back(cart);
    Evaluator evaluator;
    evaluator.look_at({.customer = &customer});
    const auto text = [&](const std::string& source) {
        const auto compiled = cel::compile(source, environment(Scope::step));
        REQUIRE(compiled.program);
        return cel::to_text(evaluator.value(*compiled.program));
    };
    CHECK(text("cart.items.exists(i, i.product_id == 'b')") == "false");
    CHECK(text("cart.items.exists(i, i.product_id == 'c' && i.price * i.quantity == 21.0)") ==
          "true");
    CHECK(text("cart.items.all(i, i.quantity > 0)") == "true");
    customer.carts.front().lines[1].quantity = 1; // Now all are there, and are read as rows.
    evaluator.look_at({.customer = &customer});
    CHECK(text("cart.items.exists(i, i.product_id == 'b')") == "true");
    CHECK(text("cart.items.sortBy(i, -i.quantity)[0].product_id") == "\"c\"");
}

TEST_CASE("what an expression came to is counted, and goes on over publications", "[environment]") {
    const auto expression = [](const std::string& source) {
        Expression made;
        made.program = cel::compile(source, environment(Scope::entry)).program;
        REQUIRE(made.program);
        made.line = 7;
        return made;
    };
    auto journey = std::make_shared<Journey>();
    journey->enter.when = {expression("customer.traits.age > 18"), expression("true")};
    journey->enter.key = expression("cart.id");
    Step step;
    step.path = "mail";
    Send send;
    send.data.emplace_back("total", expression("1 / customer.orders"));
    step.action = std::move(send);
    journey->steps.push_back(std::move(step));

    const Customer customer{};
    Evaluator evaluator;
    evaluator.look_at({.customer = &customer});
    CHECK_FALSE(evaluator.is_met(journey->enter.when[0])); // null has no order
    CHECK(evaluator.is_met(journey->enter.when[1]));
    evaluator.value(std::get<Send>(journey->steps[0].action).data[0].second);

    std::vector<std::string> told;
    const auto tell = [&](const Journey& of) {
        told.clear();
        for (const auto& [role, each, is_condition, place] : expressions_of(of))
            told.push_back(role + ' ' + std::to_string(each->counts->evaluated.load()) + ' ' +
                           (is_condition ? std::to_string(each->counts->met.load()) : "-") + ' ' +
                           std::to_string(each->counts->failed.load()));
    };
    tell(*journey);
    CHECK(told == std::vector<std::string>{"enter.when 1 0 1", "enter.when 1 1 0",
                                           "enter.key 0 - 0", "mail send.data.total 1 - 1"});
    auto again = std::make_shared<Journey>(*journey);
    again->enter.when = {expression("customer.traits.age > 18"), expression("false")};
    again->enter.key = expression("cart.id");
    const auto joined = sharing_counts(again, *journey);
    tell(*joined);
    CHECK(told == std::vector<std::string>{"enter.when 1 0 1", "enter.when 0 0 0",
                                           "enter.key 0 - 0", "mail send.data.total 1 - 1"});
    CHECK_FALSE(evaluator.is_met(joined->enter.when[0]));
    tell(*journey);
    CHECK(told.front() == "enter.when 2 0 2");
}

TEST_CASE("spans are read up to their bound and no further", "[environment]") {
    const auto millis = [](std::string_view text, Duration most = duration_max) {
        const auto span = parse_duration(text, most);
        return span ? std::optional{span->count()} : std::nullopt;
    };
    CHECK(millis("1d12h") == 129'600'000);
    CHECK(millis("0s") == 0);
    CHECK(millis("3660d") == duration_max.count());
    CHECK(millis("3660d1s") == std::nullopt);
    CHECK(millis("1m", std::chrono::minutes{1}) == 60'000);
    CHECK(millis("61s", std::chrono::minutes{1}) == std::nullopt);
    CHECK(millis("59s1s", std::chrono::minutes{1}) == 60'000);
    CHECK(millis("59s2s", std::chrono::minutes{1}) == std::nullopt);
    for (const auto wrong : {"", "1", "h", "1x", "-1h", "1.5h", "1h ", "9223372036854775807w",
                             "99999999999999999999s", "+1h"})
        CHECK(millis(wrong) == std::nullopt);
}
