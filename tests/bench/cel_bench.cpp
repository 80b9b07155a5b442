#include "tests/bench/cel_bench.hpp"

#include "journeys/cel/program.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace journeys;
using namespace journeys::cel;

const ObjectType event_type{
    "event", {{"name", Type::string(), ""}, {"properties", Type::map(Type::string(), {}), ""}}, ""};
const ObjectType customer_type{
    "customer", {{"id", Type::string(), ""}, {"traits", Type::map(Type::string(), {}), ""}}, ""};
const ObjectType item_type{"item",
                           {{"product_id", Type::string(), ""},
                            {"price", Type::floating(), ""},
                            {"quantity", Type::integer(), ""}},
                           ""};
const ObjectType cart_type{
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
    Value field(unsigned index, Arena&) const override {
        return index == 0 ? Value::string("ada") : Value::packed(PackedView{traits});
    }
    const ObjectType& object_type() const override { return customer_type; }
};
struct Item : Object {
    std::string product_id;
    double price = 0;
    std::int64_t quantity = 0;
    Value field(unsigned index, Arena&) const override {
        if (index == 0) return Value::string(product_id);
        return index == 1 ? Value::floating(price) : Value::integer(quantity);
    }
    const ObjectType& object_type() const override { return item_type; }
};
struct Cart : Object, ListObject {
    std::vector<Item> items;
    std::size_t size() const override { return items.size(); }
    Value at(std::size_t index, Arena&) const override { return Value::object(&items[index]); }
    Value field(unsigned index, Arena&) const override {
        return index == 0 ? Value::list(static_cast<const ListObject*>(this))
                          : Value::floating(100);
    }
    const ObjectType& object_type() const override { return cart_type; }
};

struct World {
    Event event;
    Customer customer;
    Cart cart;
    Environment environment;
    std::vector<Value> variables;

    World() {
        PackedWriter writer;
        auto mark = writer.begin_map();
        writer.key("product_id");
        writer.string("p-1042");
        writer.key("category");
        writer.string("shoes");
        writer.key("value");
        writer.floating(49.9);
        writer.key("quantity");
        writer.integer(1);
        writer.end_map(mark, 4);
        event.properties = writer.take();
        mark = writer.begin_map();
        writer.key("first_name");
        writer.string("Ada");
        writer.key("country");
        writer.string("AT");
        writer.key("newsletter");
        writer.boolean(true);
        writer.end_map(mark, 3);
        customer.traits = writer.take();
        for (int i = 0; i < 8; ++i) {
            Item item;
            item.product_id = "p-" + std::to_string(i);
            item.price = 10.0 * i;
            item.quantity = i == 7 ? 3 : 1;
            cart.items.push_back(item);
        }
        for (const auto& type : {event_type, customer_type, item_type, cart_type}) {
            environment.add_object(type);
        }
        environment.add_variable("event", Type::object("event"));
        environment.add_variable("customer", Type::object("customer"));
        environment.add_variable("cart", Type::object("cart"));
        variables = {Value::object(&event), Value::object(&customer),
                     Value::object(static_cast<const Object*>(&cart))};
    }
};

/// By hand, on the same packed bytes.
__attribute__((noinline)) bool condition_by_hand(const World& world) {
    const auto value = PackedView{world.event.properties}.find("value");
    if (!value.is_number() || !(value.as_double() > 20.0)) return false;
    const auto country = PackedView{world.customer.traits}.find("country");
    return country.is_string() && (country.as_string() == "DE" || country.as_string() == "AT");
}

__attribute__((noinline)) bool cart_by_hand(const World& world) {
    return std::any_of(world.cart.items.begin(), world.cart.items.end(), [](const Item& item) {
        return item.price * static_cast<double>(item.quantity) > 200.0;
    });
}

double nanos_each(int count, const std::function<void(int)>& work) {
    const auto start = std::chrono::steady_clock::now();
    work(count);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    return took.count() / count;
}

volatile bool sink = false;

std::function<void(int)> repeat(const World& world, const Program& program) {
    return [&](int count) {
        Arena arena;
        const Activation activation{world.variables};
        for (int i = 0; i < count; ++i) {
            arena.reset();
            sink = program.evaluate(activation, arena).is_true();
        }
    };
}

std::function<void(int)> repeat(const World& world, bool (*condition)(const World&)) {
    return [&world, condition](int count) {
        for (int i = 0; i < count; ++i) sink = condition(world);
    };
}

} // namespace

namespace bench {

std::vector<Figure> bench_cel(int rounds, int scale) {
    const World world;
    const std::string source =
        R"(event.properties.value > 20.0 && customer.traits.country in ["DE", "AT"])";
    const auto condition = compile(source, world.environment, Expect::boolean).program;
    const auto cart =
        compile("cart.items.exists(item, item.price * item.quantity > 200.0)", world.environment)
            .program;
    if (!condition || !cart) throw std::logic_error{"the benchmark's expressions do not compile"};

    const auto run = [&](const char* name, int count, const std::function<void(int)>& ours,
                         const std::function<void(int)>& by_hand) {
        ours(count / 10); // Warms caches.
        return compare(
            name, "ns", rounds, [&] { return nanos_each(count, ours); },
            [&] { return nanos_each(count, by_hand); });
    };
    auto first = run("cel: condition", 1'000'000 / scale, repeat(world, *condition),
                     repeat(world, condition_by_hand));
    first.details["compiling it, ns"] = nanos_each(10'000 / scale, [&](int count) {
        for (int i = 0; i < count; ++i)
            sink = compile(source, world.environment, Expect::boolean).program != nullptr;
    });
    auto second = run("cel: exists over 8 items", 300'000 / scale, repeat(world, *cart),
                      repeat(world, cart_by_hand));
    return {std::move(first), std::move(second)};
}

} // namespace bench
