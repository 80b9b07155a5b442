/// A small world for expressions: records, packed data and a function, as an engine would declare
/// them.
#pragma once

#include "journeys/cel/program.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace world {

using namespace journeys;
using namespace journeys::cel;

inline const ObjectType event_type{"event",
                                   {{"name", Type::string(), "its name"},
                                    {"properties", Type::map(Type::string(), {}), "free-form"}},
                                   "the event being applied"};
inline const ObjectType customer_type{"customer",
                                      {{"id", Type::string(), ""},
                                       {"traits", Type::map(Type::string(), {}), ""},
                                       {"churn_risk", Type::nullable(Type::floating()), "0 to 1"},
                                       {"orders", Type::integer(), ""},
                                       {"first_seen", Type::timestamp(), ""}},
                                      ""};
/// An item as it lies in memory.
struct Line {
    double price = 0;
    std::int64_t quantity = 0;
    std::int64_t weight = 0; ///< Ten-thousandths.
    std::string name;
};
inline const ObjectType item_type{
    "item",
    {{"price", Type::floating(), "", {Storage::Form::floating, offsetof(Line, price)}},
     {"quantity", Type::integer(), "", {Storage::Form::integer, offsetof(Line, quantity)}},
     {"weight", Type::floating(), "", {Storage::Form::decimal, offsetof(Line, weight)}},
     {"name", Type::string(), "", {Storage::Form::text, offsetof(Line, name)}}},
    ""};
inline const ObjectType cart_type{
    "cart", {{"items", Type::list(Type::object("item")), ""}, {"value", Type::floating(), ""}}, ""};

struct Event : Object {
    std::string properties;
    Value field(unsigned index, Arena&) const override {
        return index == 0 ? Value::string("Product Added") : Value::packed(PackedView{properties});
    }
    const ObjectType& object_type() const override { return event_type; }
};

struct Customer : Object {
    std::string traits;
    Value churn_risk;
    Value field(unsigned index, Arena&) const override {
        switch (index) {
        case 0: return Value::string("ada");
        case 1: return Value::packed(PackedView{traits});
        case 2: return churn_risk;
        case 3: return Value::integer(2);
        default: return Value::timestamp(1'700'000'000, 0);
        }
    }
    const ObjectType& object_type() const override { return customer_type; }
};

struct Item : Object {
    explicit Item(const Line& its_line) : Object(&its_line), line(its_line) {}
    const Line& line;
    Value field(unsigned index, Arena&) const override {
        switch (index) {
        case 0: return Value::floating(line.price);
        case 1: return Value::integer(line.quantity);
        case 2: return Value::floating(static_cast<double>(line.weight) / 10'000.0);
        default: return Value::string(line.name);
        }
    }
    const ObjectType& object_type() const override { return item_type; }
};

struct Cart : Object, ListObject {
    std::vector<Line> lines{{10, 1, 12'500, "hat"}, {25, 3, 2'500, "coat"}};
    std::vector<Item> items{lines.begin(), lines.end()};
    std::size_t size() const override { return items.size(); }
    Rows rows() const override {
        return {reinterpret_cast<const char*>(lines.data()), sizeof(Line)};
    }
    Value at(std::size_t index, Arena&) const override { return Value::object(&items[index]); }
    Value field(unsigned index, Arena&) const override {
        return index == 0 ? Value::list(static_cast<const ListObject*>(this))
                          : Value::floating(84.9);
    }
    const ObjectType& object_type() const override { return cart_type; }
};

/// consent['email'], made on demand.
struct Consent : MapObject {
    std::size_t size() const override { return 1; }
    bool find(Value key, Value& found, Arena&) const override {
        if (!key.is(Kind::string) || key.as_string() != "email") return false;
        found = Value::string("subscribed");
        return true;
    }
    Value key_at(std::size_t, Arena&) const override { return Value::string("email"); }
};

struct World {
    Event event;
    Customer customer;
    Cart cart;
    Consent consent;
    Environment environment;
    std::vector<Value> variables;

    World() {
        PackedWriter writer;
        auto mark = writer.begin_map();
        writer.key("price");
        writer.floating(19.9);
        writer.key("quantity");
        writer.integer(2);
        writer.key("url");
        writer.string("https://shop.example/shoes");
        writer.key("none");
        writer.null();
        writer.key("sizes");
        const auto list = writer.begin_list();
        writer.integer(41);
        writer.floating(42.5);
        writer.end_list(list, 2);
        writer.end_map(mark, 5);
        event.properties = writer.take();
        mark = writer.begin_map();
        writer.key("country");
        writer.string("AT");
        writer.end_map(mark, 1);
        customer.traits = writer.take();
        for (const auto& type : {event_type, customer_type, item_type, cart_type}) {
            environment.add_object(type);
        }
        environment.add_variable("event", Type::object("event"), "what happened");
        environment.add_variable("customer", Type::object("customer"), "who");
        environment.add_variable("cart", Type::object("cart"), "the cart");
        environment.add_variable("consent", Type::map(Type::string(), Type::string()),
                                 "by channel");
        environment.add_variable("now", Type::timestamp(), "the instant");
        FunctionDeclaration count{
            "count",
            {{{Type::string(), Type::string()}, Type::integer(), false}},
            [](const void* context, std::span<const Value> arguments, Arena&) {
                const auto& times = *static_cast<const int*>(context);
                return Value::integer(times *
                                      static_cast<std::int64_t>(arguments[0].as_string().size()));
            },
            "how often"};
        count.check_constant = [](std::size_t argument, std::string_view text) -> std::string {
            if (argument != 1 || text.ends_with("d") || text.ends_with("h")) return {};
            return "\"" + std::string{text} + "\" has no unit: s m h d w";
        };
        environment.add_function(std::move(count));
        environment.add_unavailable("session", "there is no session here");
        variables = {Value::object(&event), Value::object(&customer),
                     Value::object(static_cast<const Object*>(&cart)),
                     Value::map(static_cast<const MapObject*>(&consent)),
                     Value::timestamp(1'700'086'400, 0)};
    }

    Value run(const std::string& source, Arena& arena, Limits limits = {}) const {
        const auto compiled = compile(source, environment);
        if (!compiled.program) return Value::error(compiled.issues.front().message, arena);
        programs_.push_back(compiled.program);
        return compiled.program->evaluate({variables, &factor, limits}, arena);
    }
    std::string text(const std::string& source, Limits limits = {}) const {
        Arena arena;
        return to_text(run(source, arena, limits));
    }

    int factor = 1;

private:
    mutable std::vector<std::shared_ptr<const Program>> programs_; // Values borrow from them.
};

} // namespace world
