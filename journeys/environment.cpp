#include "journeys/environment.hpp"

#include "journeys/bindings.hpp"
#include "journeys/cel/cursor.hpp"
#include "journeys/cel/reference.hpp"
#include "journeys/duration_text.hpp"
#include "journeys/policy.hpp"
#include "journeys/products.hpp"
#include "journeys/profile.hpp"
#include "journeys/recommending.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace journeys {
namespace {

using cel::Arena;
using cel::Type;
using cel::Value;

/// The slots of the variables; the same in every scope.
enum Slot : unsigned {
    slot_event,
    slot_customer,
    slot_cart,
    slot_session,
    slot_orders,
    slot_run,
    slot_now,
    slot_vars,
    slot_context,
    slot_coupon,
    slot_count
};

const View& view_of(const void* context) { return *static_cast<const View*>(context); }

/// Of `count` and `recent`.
std::optional<Duration> parse_window(std::string_view text) {
    return parse_duration(text, duration_max);
}

std::string check_window(std::size_t argument, std::string_view text) {
    if (argument != 1 || parse_window(text)) return {};
    return "\"" + std::string{text} +
           "\" is no window: write a number and a unit, s m h d w, up to 10 years: \"24h\"";
}

Value call_count(const void* context, std::span<const Value> arguments, Arena&) {
    const View& view = view_of(context);
    const auto window = parse_window(arguments[1].as_string());
    if (!window) return Value::error("the window has no unit: s m h d w");
    const auto since = view.now - *window;
    if (arguments.size() == 2)
        return Value::integer(count(*view.customer, arguments[0].as_string(), since));
    PackedWriter wanted;
    cel::append_packed(wanted, arguments[3]);
    return Value::integer(count(*view.customer, arguments[0].as_string(), since,
                                arguments[2].as_string(), PackedView{wanted.bytes()}));
}

Value call_last(const void* context, std::span<const Value> arguments, Arena&) {
    std::optional<Timestamp> newest;
    for (const auto& name : arguments) {
        const auto at = last(*view_of(context).customer, name.as_string());
        if (at && (!newest || *at > *newest)) newest = at;
    }
    return newest ? Value::timestamp(*newest) : Value::null();
}

Value call_recent(const void* context, std::span<const Value> arguments, Arena& arena) {
    const View& view = view_of(context);
    const auto window = parse_window(arguments[1].as_string());
    if (!window) return Value::error("the window has no unit: s m h d w");
    for (const auto& counter : view.customer->counters) {
        if (counter.name != arguments[0].as_string()) continue;
        constexpr std::size_t most = 20;
        auto* const items = arena.allocate_array<Value>(most);
        if (!items) return Value::error("the expression needs too much memory");
        std::size_t found = 0;
        for (auto at = counter.newest.rbegin(); at != counter.newest.rend() && found < most; ++at) {
            if (at->at <= view.now - *window) break;
            items[found++] = at->properties.empty() ? Value::map_of({})
                                                    : Value::packed(PackedView{at->properties});
        }
        return Value::list_of({items, found});
    }
    return Value::list_of({});
}

Value call_reachable(const void* context, std::span<const Value> arguments, Arena&) {
    const View& view = view_of(context);
    return Value::boolean(is_reachable(*view.customer, arguments[0].as_string(),
                                       arguments[1].as_string(), view.catalog->settings()));
}

Value call_running(const void* context, std::span<const Value> arguments, Arena&) {
    const auto& runs = view_of(context).customer->runs;
    return Value::boolean(std::any_of(runs.begin(), runs.end(), [&](const Run& run) {
        return run.journey == arguments[0].as_string();
    }));
}

Value call_last_sent(const void* context, std::span<const Value> arguments, Arena&) {
    const auto& sends = view_of(context).customer->sends;
    for (auto mark = sends.rbegin(); mark != sends.rend(); ++mark)
        if (mark->channel == arguments[0].as_string()) return Value::timestamp(mark->at);
    return Value::null();
}

/// Keys are texts; ids often come as numbers, and 7.0 is 7.
std::string as_key(Value value) {
    constexpr double exact = 9'007'199'254'740'992; // 2^53: above it doubles skip whole numbers.
    if (value.is(cel::Kind::floating)) {
        const double number = value.as_double();
        if (number == std::trunc(number) && std::abs(number) <= exact)
            return std::to_string(static_cast<std::int64_t>(number));
    }
    return value.is(cel::Kind::string) ? std::string{value.as_string()} : cel::to_text(value);
}

Value call_lookup(const void* context, std::span<const Value> arguments, Arena&) {
    const auto& tables = view_of(context).catalog->lookups().tables;
    const auto table = tables.find(arguments[0].as_string());
    if (table == tables.end()) return Value::null();
    const auto row = table->second.rows.find(as_key(arguments[1]));
    return row == table->second.rows.end() ? Value::null() : Value::packed_map(row->second);
}

Value call_product(const void* context, std::span<const Value> arguments, Arena& arena) {
    const View& view = view_of(context);
    const auto& products = view.catalog->lookups().products;
    if (!products) return Value::null();
    const auto found = products->find(as_key(arguments[0]));
    if (!found) return Value::null();
    const auto kept = Value::string(*found, arena); // The catalogue may change meanwhile.
    void* const place = arena.allocate(sizeof(bindings::StoredProduct));
    if (kept.is_error() || !place) return Value::error("the expression needs too much memory");
    return bindings::bind(*::new (place) bindings::StoredProduct{PackedView{kept.as_string()}},
                          view, arena);
}

Value call_audience(const void* context, std::span<const Value> arguments, Arena&) {
    const View& view = view_of(context);
    const auto& audiences = view.catalog->lookups().audiences;
    const auto named = audiences.find(arguments[0].as_string());
    if (named == audiences.end()) return Value::boolean(false);
    // Its own evaluation within one; an audience names no other, so two are enough.
    static thread_local Evaluator inner;
    auto alone = view;
    alone.event = nullptr;
    alone.run = nullptr;
    inner.look_at(alone);
    return Value::boolean(inner.is_met(named->second));
}

Value call_top(const void*, std::span<const Value> arguments, Arena& arena) {
    const auto size = std::min<std::size_t>(
        arguments[0].size(),
        static_cast<std::size_t>(std::max<std::int64_t>(0, arguments[1].as_int())));
    auto* const items = arena.allocate_array<Value>(size);
    if (!items) return Value::error("the expression needs too much memory");
    std::size_t count = 0;
    for (cel::Cursor at{arguments[0], arena}; count < size && at.next();)
        items[count++] = at.value();
    return Value::list_of({items, count});
}

Value call_sum(const void*, std::span<const Value> arguments, Arena& arena) {
    double total = 0;
    for (cel::Cursor at{arguments[0], arena}; at.next();) {
        const auto item = at.value();
        if (!item.is_number()) return Value::error("sum adds numbers only");
        total += item.as_double();
    }
    return Value::floating(total);
}

/// As the data of a message has it.
std::string packed(const std::vector<Recommendation>& products) {
    PackedWriter writer;
    const auto list = writer.begin_list();
    for (const auto& [product, why] : products) {
        const auto map = writer.begin_map();
        std::size_t entries = 0;
        const auto text = [&](std::string_view name, std::string_view value) {
            if (value.empty()) return;
            writer.key(name);
            writer.string(value);
            ++entries;
        };
        text("product_id", product.id);
        text("name", product.name);
        text("category", product.category);
        text("url", product.url);
        text("image_url", product.image_url);
        if (product.price) {
            writer.key("price");
            writer.floating(*product.price);
            ++entries;
        }
        writer.end_map(map, entries);
    }
    writer.end_list(list, products.size());
    return writer.take();
}

Value call_recommend(const void* context, std::span<const Value> arguments, Arena& arena) {
    const View& view = view_of(context);
    const auto& source = view.catalog->recommendations();
    const auto wanted = arguments[0].as_int();
    if (!source || wanted <= 0) return Value::list_of({});
    const auto n = std::min(static_cast<std::size_t>(wanted), recommendations_max);
    const auto bytes = packed(source->recommend(view.customer, n, view.now, *view.catalog));
    auto* const kept = arena.allocate_array<char>(bytes.size());
    if (!kept) return Value::error("the expression needs too much memory");
    std::ranges::copy(bytes, kept);
    return Value::packed(PackedView{std::string_view{kept, bytes.size()}});
}

/// The file's own values, and those of all files that it does not name itself.
Value vars_of(const std::string* own, const Catalog* catalog, Arena& arena) {
    const std::string_view common =
        catalog ? std::string_view{catalog->lookups().vars} : std::string_view{};
    if (!own) return Value::packed_map(common);
    if (common.empty()) return Value::packed_map(*own);
    const PackedView mine{*own}, theirs{common};
    auto* const items = arena.allocate_array<Value>(2 * (mine.size() + theirs.size()));
    if (!items) return Value::error("the expression needs too much memory");
    std::size_t count = 0;
    for (const auto& [name, item] : mine.entries()) {
        items[count++] = Value::string(name);
        items[count++] = Value::packed(item);
    }
    for (const auto& [name, item] : theirs.entries()) {
        if (mine.find(name)) continue;
        items[count++] = Value::string(name);
        items[count++] = Value::packed(item);
    }
    return Value::map_of({items, count});
}

void declare_functions(cel::Environment& environment) {
    const auto text = Type::string();
    environment.add_function(
        {"count",
         {{{text, text}, Type::integer()}, {{text, text, text, Type::dyn()}, Type::integer()}},
         call_count,
         "`count(name, window)`, `count(name, window, property, value)`: how often the event "
         "happened within the window before `now`. Exact to 64, then by hour; beyond 31 days by "
         "spans, never too few. With a property of the newest 64.",
         check_window});
    environment.add_function({"last",
                              {{{text}, Type::nullable(Type::timestamp())},
                               {{text, text}, Type::nullable(Type::timestamp())},
                               {{text, text, text}, Type::nullable(Type::timestamp())},
                               {{text, text, text, text}, Type::nullable(Type::timestamp())}},
                              call_last,
                              "`last(name…)`: when one of the events last happened, or null."});
    environment.add_function({"recent",
                              {{{text, text}, Type::list(Type::map(text, Type::dyn()))}},
                              call_recent,
                              "`recent(name, window)`: the properties of the last 20, newest "
                              "first; only those that a file reads.",
                              check_window});
    environment.add_function(
        {"reachable",
         {{{text, text}, Type::boolean()}},
         call_reachable,
         "`reachable(channel, topic)`: consent given, address known and not suppressed."});
    environment.add_function({"running",
                              {{{text}, Type::boolean()}},
                              call_running,
                              "`running(journey)`: an open run of it exists."});
    environment.add_function({"last_sent",
                              {{{text}, Type::nullable(Type::timestamp())}},
                              call_last_sent,
                              "`last_sent(channel)`: when a message last left, or null."});
    environment.add_function(
        {"lookup",
         {{{text, Type::dyn()}, Type::nullable(Type::map(text, Type::dyn()))}},
         call_lookup,
         "`lookup(table, key)`: the row of config/tables/TABLE.csv whose first "
         "column is the key, or null."});
    environment.add_function({"product",
                              {{{Type::dyn()}, Type::nullable(Type::object("Product"))}},
                              call_product,
                              "`product(id)`: the product as the catalogue has it when the message "
                              "is handed over, or null; only in `data` and `when` of a send or a "
                              "call."});
    environment.add_function({"audience",
                              {{{text}, Type::boolean()}},
                              call_audience,
                              "`audience(name)`: the condition of that name in "
                              "config/audiences.yaml is met."});
    environment.add_function(
        {"top",
         {{{Type::list(Type::dyn()), Type::integer()}, Type::list(Type::dyn())}},
         call_top,
         "`top(list, n)`: its first n items."});
    environment.add_function(
        {"recommend",
         {{{Type::integer()}, Type::list(Type::map(text, Type::dyn()))}},
         call_recommend,
         "`recommend(n)`: products for this customer, the best first, at most 50, each with "
         "`product_id`, and `name`, `category`, `price`, `url` and `image_url` where they are "
         "known. "
         "Under `data` only; empty in `simulate`."});
    environment.add_function({"sum",
                              {{{Type::list(Type::dyn())}, Type::floating()}},
                              call_sum,
                              "`sum(list)`: of numbers."});
}

cel::Environment make_environment(Scope scope) {
    cel::Environment environment;
    for (const auto* type : bindings::all_types()) environment.add_object(*type);
    constexpr std::string_view no_event = "no event is being applied here. run.event is what "
                                          "opened the run, run.last_event what ended the last wait";
    // Slots are handed out in order, so every scope declares every variable; those that it does not
    // offer are declared under a name that no expression can write.
    const bool has_event = scope == Scope::entry || scope == Scope::event;
    const bool has_run = scope == Scope::event || scope == Scope::step;
    const bool has_context = scope == Scope::offer;
    environment.add_variable(has_event ? "event" : "event (none)", Type::object("Event"),
                             has_event ? "the event being applied" : "");
    environment.add_variable("customer", Type::object("Customer"),
                             "profile and scores, as of `now`");
    environment.add_variable("cart", Type::object("Cart"),
                             "the run's cart, else the one changed last");
    environment.add_variable("session", Type::object("Session"), "the visit");
    environment.add_variable("orders", Type::list(Type::object("Order")),
                             "the last 20, oldest first");
    environment.add_variable(has_run ? "run" : "run (none)", Type::object("Run"),
                             has_run ? "this run" : "");
    environment.add_variable("now", Type::timestamp(),
                             "the instant of evaluation: event time while an event is applied, due "
                             "time when a timer fires");
    environment.add_variable("vars", Type::map(Type::string(), Type::dyn()),
                             "plain values: of the file's own `vars`, then of config/vars.yaml");
    if (has_context) // The last slot, so that other scopes need not declare it.
        environment.add_variable("context", Type::map(Type::string(), Type::dyn()),
                                 "what the shop says of the moment when it asks");
    if (scope == Scope::product)
        environment.add_variable("product", Type::map(Type::string(), Type::dyn()),
                                 "a product that may be recommended");
    if (scope == Scope::step) {
        environment.add_variable("context (none)", Type::map(Type::string(), Type::dyn()), "");
        environment.add_variable("coupon", Type::object("Coupon"),
                                 "the code that the message gives away");
        environment.add_unavailable("event", std::string{no_event});
    } else {
        environment.add_unavailable("coupon", "a code is given when a message is handed over: "
                                              "coupon stands under data of a send with coupon:");
    }
    if (scope == Scope::audience) {
        environment.add_unavailable("event",
                                    "an audience is about a customer, whatever event comes. What "
                                    "they did tell count(…), last(…) and recent(…)");
        environment.add_unavailable("run", "an audience is about a customer, whatever run asks: it "
                                           "cannot look at one");
    }
    if (scope == Scope::entry)
        environment.add_unavailable("run", "there is no run yet where a journey is entered");
    if (scope == Scope::product) {
        environment.add_unavailable("event", "no event is being applied where a product is chosen");
        environment.add_unavailable("run", "a rule of recommendations looks at no run");
    }
    if (scope == Scope::offer) {
        environment.add_unavailable("event", "no event is being applied where an action is chosen");
        environment.add_unavailable("run", "the shop may ask for an action without a run, so its "
                                           "condition cannot look at one");
    } else {
        environment.add_unavailable("context", "only an action's condition sees what the shop says "
                                               "when it asks for a decision");
    }
    declare_functions(environment);
    return environment;
}

} // namespace

const cel::Environment& environment(Scope scope) {
    static const std::array<cel::Environment, 6> environments{
        make_environment(Scope::entry),    make_environment(Scope::event),
        make_environment(Scope::step),     make_environment(Scope::offer),
        make_environment(Scope::audience), make_environment(Scope::product)};
    return environments[static_cast<std::size_t>(scope)];
}

std::string expressions_reference() {
    struct Place {
        Scope scope;
        std::string_view names;
    };
    static constexpr std::array<Place, 6> places{{
        {Scope::entry, "`enter.when`, `enter.key`"},
        {Scope::event, "`exit.when`, `goal.when`, a wait's `when`"},
        {Scope::step, "everything else in a step"},
        {Scope::offer, "`when` of an action"},
        {Scope::audience, "an audience"},
        {Scope::product, "`recommend.when`"},
    }};
    std::string out = "# Expressions\n\n"
                      "Written in CEL, the Common Expression Language: `cart.value > 20 && "
                      "customer.country in [\"DE\", \"AT\"]`.\n"
                      "A missing key of a map is null, and so is whatever is read of null.\n"
                      "A condition that ends in an error counts as not met, and so does one that "
                      "is null; where an error keeps somebody out of a journey, the reason is "
                      "`error` instead of `when`.\n\n"
                      "| where | what cannot be named there |\n| --- | --- |\n";
    for (const auto& place : places) {
        std::string missing;
        for (const auto& [name, sentence] : environment(place.scope).unavailable())
            if (name != "context" && name != "coupon") // Of which a sentence is said below.
                missing += (missing.empty() ? "`" : "; `") + name + "`: " + sentence;
        out += "| " + std::string{place.names} + " | " + missing + " |\n";
    }
    out +=
        "\nAn action's `when` has one name more: `context`, a map of what the shop says of the "
        "moment when it asks for a decision; empty in a journey. A rule of recommendations has "
        "`product`, a map of `id`, `name`, `category`, `price` and `in_stock`; the last two are "
        "null where nobody says. Under `data` of a send with `coupon: POOL` there is `coupon`, the "
        "code that it gives away.\n";
    const auto& all = environment(Scope::event); // It offers all else.
    return out + '\n' + cel::markdown(all) + cel::language_reference(all);
}

struct Evaluator::Bound {
    View view;
    const std::string* own_vars = nullptr; ///< Of the expression's file.
    Arena arena;
    std::array<Value, slot_count> variables;
};

Evaluator::Evaluator() : bound_(std::make_unique<Bound>()) {}
Evaluator::~Evaluator() = default;

void Evaluator::look_at(const View& view) { bound_->view = view; }

cel::Value Evaluator::value(const cel::Program& program) {
    auto& [view, own_vars, arena, variables] = *bound_;
    arena.reset();
    const auto& customer = *view.customer;
    // Only what is read is bound: most conditions read one or two.
    const auto bind = [&](Slot slot, auto make) {
        if (program.reads_slot(slot)) variables[slot] = make();
    };
    bind(slot_event,
         [&] { return view.event ? bindings::bind(*view.event, view, arena) : Value::null(); });
    bind(slot_customer, [&] { return bindings::bind(customer, view, arena); });
    bind(slot_cart, [&] { return bindings::bind(bindings::cart_in_view(view), view, arena); });
    bind(slot_session, [&] { return bindings::bind(customer.session, view, arena); });
    bind(slot_orders, [&] {
        auto* const orders = arena.allocate_array<Value>(customer.orders.size());
        if (!orders) return Value::error("the expression needs too much memory");
        for (std::size_t i = 0; i < customer.orders.size(); ++i)
            orders[i] = bindings::bind(customer.orders[i], view, arena);
        return Value::list_of({orders, customer.orders.size()});
    });
    bind(slot_run,
         [&] { return view.run ? bindings::bind(*view.run, view, arena) : Value::null(); });
    bind(slot_context, [&] {
        return view.context.empty() ? Value::map_of({}) : Value::packed(PackedView{view.context});
    });
    bind(slot_coupon,
         [&] { return view.coupon ? bindings::bind(*view.coupon, view, arena) : Value::null(); });
    bind(slot_now, [&] { return Value::timestamp(view.now); });
    bind(slot_vars, [&] { return vars_of(own_vars, view.catalog, arena); });
    return program.evaluate({variables, &view, {}}, arena);
}

cel::Value Evaluator::value(const Expression& expression) {
    bound_->own_vars = expression.vars.get();
    const auto result = value(*expression.program);
    bound_->own_vars = nullptr;
    constexpr auto relaxed = std::memory_order_relaxed;
    expression.counts->evaluated.fetch_add(1, relaxed);
    if (result.is_error()) expression.counts->failed.fetch_add(1, relaxed);
    return result;
}

Met Evaluator::look(const Expression& condition) {
    const auto result = value(condition);
    if (result.is_error()) return Met::error;
    if (!result.is_true()) return Met::no;
    condition.counts->met.fetch_add(1, std::memory_order_relaxed);
    return Met::yes;
}

} // namespace journeys
