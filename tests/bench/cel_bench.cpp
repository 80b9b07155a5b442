#include "tests/bench/cel_bench.hpp"

#include "journeys/bindings.hpp"
#include "journeys/cel/program.hpp"
#include "journeys/environment.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace journeys;
using namespace journeys::cel;

constexpr std::size_t cart_count = 64; ///< Different ones, so that no branch is learnt by heart.
constexpr std::size_t cart_lines = 8;

/// Events, customers and carts as the runtime holds them, bound as it binds them.
struct World {
    Event event;
    Customer customer;
    std::vector<Cart> carts;
    View view;
    Arena arena;
    std::vector<std::vector<Value>> variables; ///< For each cart.

    World() : carts(cart_count) {
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
        std::mt19937 random{20'240'229}; // Fixed: every run measures the same carts.
        for (auto& cart : carts) {
            for (std::size_t i = 0; i < cart_lines; ++i) {
                CartLine line;
                line.product_id = "p-" + std::to_string(random() % 1000);
                line.name = "A product with a name of ordinary length";
                line.price = *Money::parse(std::to_string(1 + random() % 90) + ".90");
                line.quantity = 1 + static_cast<std::int64_t>(random() % 3);
                cart.lines.push_back(std::move(line));
            }
        }
        view.event = &event;
        view.customer = &customer;
        for (const auto& cart : carts) {
            variables.push_back({bindings::bind(event, view, arena),
                                 bindings::bind(customer, view, arena),
                                 bindings::bind(cart, view, arena)});
        }
    }
};

// The same conditions as somebody would write them in C++ who knows the state: on the same events,
// customers and carts in memory, with the same reader of packed maps, ending at the first answer.
// They are spared everything that makes an expression one: names, values of any kind, limits. They
// are not inlined, since a condition that is chosen at run time is behind a call, and their answer
// goes to a volatile, as ours does, so that neither is optimized away.

/// Two look-ups in packed maps, as in the expression.
__attribute__((noinline)) bool condition_by_hand(const World& world, std::size_t) {
    const auto value = PackedView{world.event.properties}.find("value");
    if (!value.is_number() || !(value.as_double() > 20.0)) return false;
    const auto country = PackedView{world.customer.traits}.find("country");
    return country.is_string() && (country.as_string() == "DE" || country.as_string() == "AT");
}

/// Straight over the cart's lines, without a list of items in between: those that were removed are
/// still there with a quantity of 0.
template <int limit>
__attribute__((noinline)) bool cart_by_hand(const World& world, std::size_t number) {
    const auto& lines = world.carts[number].lines;
    return std::any_of(lines.begin(), lines.end(), [](const CartLine& line) {
        return line.quantity > 0 &&
               line.price.to_double() * static_cast<double>(line.quantity) > limit;
    });
}

__attribute__((noinline)) bool name_by_hand(const World& world, std::size_t number) {
    const auto& lines = world.carts[number].lines;
    return std::any_of(lines.begin(), lines.end(), [](const CartLine& line) {
        return line.quantity > 0 && line.product_id == "p-42";
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
        for (int i = 0; i < count; ++i) {
            const Activation activation{world.variables[static_cast<unsigned>(i) % cart_count]};
            arena.reset();
            sink = program.evaluate(activation, arena).is_true();
        }
    };
}

std::function<void(int)> repeat(const World& world, bool (*condition)(const World&, std::size_t)) {
    return [&world, condition](int count) {
        for (int i = 0; i < count; ++i)
            sink = condition(world, static_cast<unsigned>(i) % cart_count);
    };
}

} // namespace

namespace bench {

std::vector<Figure> bench_cel(int rounds, int scale) {
    const World world;
    const auto& environment = journeys::environment(Scope::event);
    const std::string source =
        R"(event.properties.value > 20.0 && customer.traits.country in ["DE", "AT"])";
    struct Line {
        std::string name, source;
        int count;
        bool (*by_hand)(const World&, std::size_t);
        double nanos_max;
    };
    constexpr double ratio_max = 10, compile_nanos_max = 50'000;
    const std::vector<Line> lines{
        {"cel: condition", source, 1'000'000, condition_by_hand, 150},
        {"cel: exists in 8 items, mixed", "cart.items.exists(i, i.price * i.quantity > 200.0)",
         300'000, cart_by_hand<200>, 1000},
        {"cel: exists in 8 items, none", "cart.items.exists(i, i.price * i.quantity > 900.0)",
         300'000, cart_by_hand<900>, 1000},
        {"cel: exists in 8 items, by text", "cart.items.exists(i, i.product_id == 'p-42')", 300'000,
         name_by_hand, 1000},
    };
    std::vector<Figure> figures;
    for (const auto& line : lines) {
        const auto program = compile(line.source, environment, Expect::boolean).program;
        if (!program) throw std::logic_error{line.name + " does not compile"};
        const auto ours = repeat(world, *program);
        const auto by_hand = repeat(world, line.by_hand);
        const int count = line.count / scale;
        ours(count / 10); // Warms caches.
        figures.push_back(compare(
            line.name, "ns", rounds, [&] { return nanos_each(count, ours); },
            [&] { return nanos_each(count, by_hand); }));
        auto& figure = figures.back();
        figure.goal =
            "at most " + std::to_string(static_cast<int>(line.nanos_max)) + " ns, 10 times by hand";
        figure.reached = figure.ours.median <= line.nanos_max && figure.ratio.median <= ratio_max;
    }
    const auto compiling = nanos_each(10'000 / scale, [&](int count) {
        for (int i = 0; i < count; ++i)
            sink = compile(source, environment, Expect::boolean).program != nullptr;
    });
    figures.front().details["compiling it, ns (at most 50,000)"] = compiling;
    figures.front().reached = figures.front().reached && compiling <= compile_nanos_max;
    return figures;
}

} // namespace bench
