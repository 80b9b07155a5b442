#include "journeys/bindings.hpp"

#include "journeys/intent.hpp"
#include "journeys/products.hpp"
#include "journeys/profile.hpp"

#include <algorithm>

namespace journeys::bindings {
namespace {

using cel::Arena;
using cel::Type;
using cel::Value;

Value optional_time(Timestamp at) {
    return at == Timestamp{} ? Value::null() : Value::timestamp(at);
}
Value optional_text(const std::string& text) {
    return text.empty() ? Value::null() : Value::string(text);
}
/// Fields of models: null until a model is loaded.
template <class Record> Value not_loaded(const Record&, const View&, Arena&) {
    return Value::null();
}

template <class> struct MemberOf;
template <class Owner, class Member> struct MemberOf<Member Owner::*> {
    using Record = Owner;
    using Type = Member;
};

/// The row of a field that lies in the record as it is: its type, how it is read, and where it lies
/// all follow from the member, so they cannot disagree.
template <auto member>
typename FieldTable<typename MemberOf<decltype(member)>::Record>::Row lying(std::string name,
                                                                            std::string doc) {
    using Record = typename MemberOf<decltype(member)>::Record;
    using Member = typename MemberOf<decltype(member)>::Type;
    static const Record sample{};
    const auto offset = static_cast<std::uint32_t>(
        reinterpret_cast<const char*>(&(sample.*member)) - reinterpret_cast<const char*>(&sample));
    if constexpr (std::is_same_v<Member, Money>) {
        static_assert(sizeof(Money) == sizeof(std::int64_t));
        return {std::move(name),
                Type::floating(),
                std::move(doc),
                [](const Record& record, const View&, Arena&) {
                    return Value::floating((record.*member).to_double());
                },
                {cel::Storage::Form::decimal, offset}};
    } else if constexpr (std::is_same_v<Member, std::int64_t>) {
        return {std::move(name),
                Type::integer(),
                std::move(doc),
                [](const Record& record, const View&, Arena&) {
                    return Value::integer(record.*member);
                },
                {cel::Storage::Form::integer, offset}};
    } else {
        static_assert(std::is_same_v<Member, std::string>);
        return {
            std::move(name),
            Type::string(),
            std::move(doc),
            [](const Record& record, const View&, Arena&) { return Value::string(record.*member); },
            {cel::Storage::Form::text, offset}};
    }
}

/// The same for packed maps: properties and traits.
template <auto member>
typename FieldTable<typename MemberOf<decltype(member)>::Record>::Row lying_map(std::string name,
                                                                                std::string doc) {
    auto row = lying<member>(std::move(name), std::move(doc));
    using Record = typename MemberOf<decltype(member)>::Record;
    row.type = Type::map(Type::string(), Type::dyn());
    row.read = [](const Record& record, const View&, Arena&) {
        return Value::packed_map(record.*member);
    };
    row.storage.form = cel::Storage::Form::packed_map;
    return row;
}

/// What the models say of the customer as of `now`; null without models, and where nothing is said.
template <class Score> Value scored(const Customer& customer, const View& view, Score score) {
    const auto* const models = view.catalog ? view.catalog->models() : nullptr;
    if (!models) return Value::null();
    return score(*models, customer.purchases.history(view.now));
}
Value number_or_null(std::optional<double> value) {
    return value ? Value::floating(*value) : Value::null();
}
/// Of somebody who has ordered: no model says anything of others.
template <class Score> Value scored_buyer(const Customer& customer, const View& view, Score score) {
    if (customer.purchases.empty()) return Value::null();
    return scored(customer, view, score);
}

/// Precondition: models are loaded.
bool is_valued(const Customer& customer, const View& view) {
    return journeys::is_valued(*view.catalog->models(), view.catalog->settings().currency,
                               customer.currency);
}

/// Records bound one by one, as far as an expression asks.
template <class Record> class BoundList final : public cel::ListObject {
public:
    BoundList(const std::vector<Record>& records, const View& view)
        : fields_(&table<Record>()), records_(&records), view_(&view) {}
    std::size_t size() const override { return records_->size(); }
    Rows rows() const override {
        return {reinterpret_cast<const char*>(records_->data()), sizeof(Record)};
    }
    Value at(std::size_t index, Arena& arena) const override {
        void* const place = arena.allocate(sizeof(BoundRecord<Record>));
        if (!place) return Value::error("the expression needs too much memory");
        return Value::object(::new (place)
                                 BoundRecord<Record>((*records_)[index], *view_, *fields_));
    }

private:
    const FieldTable<Record>* fields_;
    const std::vector<Record>* records_;
    const View* view_;
};

/// The records of `range` that pass, as a list. Mostly all do, and then nothing is copied: `exists`
/// binds no more items than it looks at.
template <class Record, class Pass>
Value list_of(const std::vector<Record>& range, const View& view, Arena& arena, Pass pass) {
    constexpr std::string_view too_large = "the expression needs too much memory";
    if (std::all_of(range.begin(), range.end(), pass)) {
        void* const place = arena.allocate(sizeof(BoundList<Record>));
        if (!place) return Value::error(too_large);
        return Value::list(::new (place) BoundList<Record>(range, view));
    }
    auto* const items = arena.allocate_array<Value>(range.size());
    if (!items) return Value::error(too_large);
    std::size_t count = 0;
    for (const auto& record : range)
        if (pass(record)) items[count++] = bind(record, view, arena);
    return Value::list_of({items, count});
}

Value texts(const std::vector<std::string>& range, Arena& arena) {
    auto* const items = arena.allocate_array<Value>(range.size());
    if (!items) return Value::error("the expression needs too much memory");
    for (std::size_t i = 0; i < range.size(); ++i) items[i] = Value::string(range[i]);
    return Value::list_of({items, range.size()});
}

std::string_view consent_text(ConsentState state) {
    switch (state) {
    case ConsentState::never: return "never";
    case ConsentState::subscribed: return "subscribed";
    case ConsentState::unsubscribed: return "unsubscribed";
    case ConsentState::pending: return "pending";
    }
    return "never";
}

/// `consent[channel]`: topics that were said something about, as a map.
Value consent_topics(const Customer& customer, std::string_view channel, Arena& arena) {
    auto* const items = arena.allocate_array<Value>(customer.consents.size() * 2);
    if (!items) return Value::error("the expression needs too much memory");
    std::size_t count = 0;
    for (const auto& consent : customer.consents) {
        if (consent.channel != channel) continue;
        items[count++] =
            Value::string(consent.topic.empty() ? std::string_view{"all"} : consent.topic);
        items[count++] = Value::string(consent_text(consent.state));
    }
    return Value::map_of({items, count});
}

Value consents(const Customer& customer, Arena& arena) {
    auto* const items = arena.allocate_array<Value>(customer.consents.size() * 2);
    if (!items) return Value::error("the expression needs too much memory");
    std::size_t count = 0;
    for (const auto& consent : customer.consents) {
        bool known = false;
        for (std::size_t i = 0; i < count; i += 2)
            known = known || items[i].as_string() == consent.channel;
        if (known) continue;
        items[count++] = Value::string(consent.channel);
        items[count++] = consent_topics(customer, consent.channel, arena);
    }
    return Value::map_of({items, count});
}

Value reported(Timestamp at) { return at == Timestamp{} ? Value::null() : Value::timestamp(at); }

Value sent_steps(const Run& run, const View& view, Arena& arena) {
    auto* const items = arena.allocate_array<Value>(run.sent.size() * 2);
    if (!items) return Value::error("the expression needs too much memory");
    std::size_t count = 0;
    for (const auto& sent : run.sent) {
        items[count++] = Value::string(sent.step);
        items[count++] = bind(sent, view, arena);
    }
    return Value::map_of({items, count});
}

Type type_of(ProductField::Kind kind) {
    switch (kind) {
    case ProductField::Kind::text: return Type::string();
    case ProductField::Kind::money: return Type::floating();
    case ProductField::Kind::integer: return Type::integer();
    case ProductField::Kind::boolean: return Type::boolean();
    }
    return {};
}

template <std::size_t index> FieldTable<StoredProduct>::Row product_field() {
    constexpr const auto& field = product_fields[index];
    return {std::string{field.name},
            Type::nullable(type_of(field.kind)),
            std::string{field.doc},
            [](const StoredProduct& product, const View&, Arena&) {
                const auto value = product.packed.find(product_fields[index].name);
                if (product_fields[index].kind == ProductField::Kind::money && value.is_number())
                    return Value::floating(value.as_double()); // 20 is 20.00.
                return Value::packed(value);
            },
            {}};
}

Value stored_event(const std::string& packed, const View& view, Arena& arena) {
    if (packed.empty()) return Value::null();
    void* const place = arena.allocate(sizeof(StoredEvent));
    if (!place) return Value::error("the expression needs too much memory");
    return bind(*::new (place) StoredEvent{PackedView{packed}}, view, arena);
}

} // namespace

const Cart& cart_in_view(const View& view) {
    static const Cart none;
    const Cart* cart = nullptr;
    if (view.run && !view.run->cart_id.empty())
        cart = find_cart(*view.customer, view.run->cart_id);
    else
        cart = current_cart(*view.customer);
    return cart ? *cart : none;
}

template <> const FieldTable<Event>& table<Event>() {
    static const FieldTable<Event> fields{
        "Event",
        "The event being applied.",
        {{"name", Type::string(), "its name, e.g. `Product Added`",
          [](const Event& event, const View&, Arena&) { return Value::string(event.name); }},
         lying_map<&Event::properties>("properties",
                                       "what the producer sent with it; a missing key is null"),
         {"timestamp", Type::timestamp(), "when it happened",
          [](const Event& event, const View&, Arena&) { return Value::timestamp(event.time); }},
         {"received_at", Type::timestamp(), "when it was accepted here",
          [](const Event&, const View& view, Arena&) {
              return Value::timestamp(view.received_at);
          }}}};
    return fields;
}

template <> const FieldTable<StoredEvent>& table<StoredEvent>() {
    static const FieldTable<StoredEvent> fields{
        "StoredEvent",
        "What a run keeps of an event: the properties that its journey reads.",
        {{"name", Type::string(), "its name",
          [](const StoredEvent& event, const View&, Arena&) {
              return Value::string(event.packed.string_at("name"));
          }},
         {"properties", Type::map(Type::string(), Type::dyn()),
          "those that the file reads; a missing key is null",
          [](const StoredEvent& event, const View&, Arena&) {
              const auto properties = event.packed.find("properties");
              return properties.is_map() ? Value::packed(properties) : Value::map_of({});
          }},
         {"timestamp", Type::timestamp(), "when it happened",
          [](const StoredEvent& event, const View&, Arena&) {
              const auto at = event.packed.find("timestamp");
              return at.kind() == PackedKind::integer ? Value::timestamp(from_millis(at.as_int()))
                                                      : Value::null();
          }}}};
    return fields;
}

template <> const FieldTable<StoredProduct>& table<StoredProduct>() {
    static const FieldTable<StoredProduct> fields{
        "Product",
        "A product as the catalogue has it now; null is what the shop never said.",
        {product_field<0>(),
         product_field<1>(),
         product_field<2>(),
         product_field<3>(),
         product_field<4>(),
         product_field<5>(),
         product_field<6>(),
         product_field<7>(),
         product_field<8>(),
         product_field<9>(),
         {"properties", Type::map(Type::string(), Type::dyn()),
          "whatever else the shop says of it; a missing key is null",
          [](const StoredProduct& product, const View&, Arena&) {
              const auto more = product.packed.find("properties");
              return more.is_map() ? Value::packed(more) : Value::map_of({});
          }}}};
    static_assert(product_fields.size() == 10);
    return fields;
}

template <> const FieldTable<SentStep>& table<SentStep>() {
    static const FieldTable<SentStep> fields{
        "Sent",
        "What became of a message of this run.",
        {{"at", Type::timestamp(), "when it was handed over",
          [](const SentStep& sent, const View&, Arena&) { return Value::timestamp(sent.at); }},
         {"state", Type::string(), "`accepted`, `rejected` or `unknown`",
          [](const SentStep& sent, const View&, Arena&) {
              switch (sent.state) {
              case IntentState::accepted: return Value::string("accepted");
              case IntentState::rejected: return Value::string("rejected");
              default: return Value::string("unknown");
              }
          }},
         {"delivered_at", Type::nullable(Type::timestamp()), "null until the provider reports it",
          [](const SentStep& sent, const View&, Arena&) { return reported(sent.delivered_at); }},
         {"opened_at", Type::nullable(Type::timestamp()),
          "null until the provider reports it; opens by machines are left out",
          [](const SentStep& sent, const View&, Arena&) { return reported(sent.opened_at); }},
         {"clicked_at", Type::nullable(Type::timestamp()),
          "null until the provider reports it; clicks by machines are left out",
          [](const SentStep& sent, const View&, Arena&) { return reported(sent.clicked_at); }}}};
    return fields;
}

template <> const FieldTable<RunCoupon>& table<RunCoupon>() {
    static const FieldTable<RunCoupon> fields{
        "Coupon",
        "A code of a pool of config/coupons.yaml, given to this run and to nobody else.",
        {lying<&RunCoupon::code>("code", "what the customer enters"),
         lying<&RunCoupon::pool>("pool", "the pool that it is of"),
         {"expires_at", Type::nullable(Type::timestamp()),
          "from when on it is of no use; null: never",
          [](const RunCoupon& coupon, const View&, Arena&) {
              return coupon.expires_at == no_time ? Value::null()
                                                  : Value::timestamp(coupon.expires_at);
          }}}};
    return fields;
}

template <> const FieldTable<Run>& table<Run>() {
    static const FieldTable<Run> fields{
        "Run",
        "This customer's way through this journey.",
        {{"key", Type::string(), "what tells two runs of one journey apart",
          [](const Run& run, const View&, Arena&) { return Value::string(run.key); }},
         {"entered_at", Type::timestamp(), "event time of its entry",
          [](const Run& run, const View&, Arena&) { return Value::timestamp(run.entered_at); }},
         {"step", Type::string(), "path of the step where it stands",
          [](const Run& run, const View& view, Arena&) {
              const auto* journey =
                  view.catalog ? view.catalog->version(run.journey, run.version) : nullptr;
              if (!journey || run.step >= journey->steps.size()) return Value::string("");
              return Value::string(journey->steps[run.step].path);
          }},
         {"arm", Type::string(), "`send` or `holdout`",
          [](const Run& run, const View&, Arena&) {
              return Value::string(run.held_out ? std::string_view{"holdout"}
                                                : std::string_view{"send"});
          }},
         {"event", Type::object("StoredEvent"), "what opened it",
          [](const Run& run, const View& view, Arena& arena) {
              return stored_event(run.event, view, arena);
          }},
         {"item", Type::dyn(), "with `enter.each`: the element that it is for, else null",
          [](const Run& run, const View&, Arena&) {
              const auto item = PackedView{run.event}.find("item");
              return item ? Value::packed(item) : Value::null();
          }},
         {"events", Type::list(Type::object("StoredEvent")),
          "what would have opened it again since; the newest 20, oldest first",
          [](const Run& run, const View& view, Arena& arena) {
              auto* const items = arena.allocate_array<Value>(run.events.size());
              if (!items) return Value::error("the expression needs too much memory");
              for (std::size_t i = 0; i < run.events.size(); ++i)
                  items[i] = stored_event(run.events[i], view, arena);
              return Value::list_of({items, run.events.size()});
          }},
         {"last_event", Type::nullable(Type::object("StoredEvent")),
          "what last resumed or restarted a wait",
          [](const Run& run, const View& view, Arena& arena) {
              return stored_event(run.last_event, view, arena);
          }},
         {"sent", Type::map(Type::string(), Type::nullable(Type::object("Sent"))),
          "by step name; null where nothing left yet",
          [](const Run& run, const View& view, Arena& arena) {
              return sent_steps(run, view, arena);
          }}}};
    return fields;
}

template <> const FieldTable<CartLine>& table<CartLine>() {
    static const FieldTable<CartLine> fields{
        "CartItem",
        "One line of a cart.",
        {lying<&CartLine::product_id>("product_id", "the producer's id of the product"),
         lying<&CartLine::sku>("sku",
                               "the stock-keeping unit; empty where the producer sends none"),
         lying<&CartLine::name>("name", "what the shop calls it"),
         lying<&CartLine::category>("category", "as the producer sends it"),
         lying<&CartLine::price>("price", "of one, in units of the currency"),
         lying<&CartLine::quantity>("quantity", "how many; at least 1"),
         lying<&CartLine::url>("url", "the product's page"),
         lying<&CartLine::image_url>("image_url", "its picture")}};
    return fields;
}

template <> const FieldTable<Cart>& table<Cart>() {
    static const FieldTable<Cart> fields{
        "Cart",
        "The run's cart where the journey's key reads `cart.id`; elsewhere the one changed last.",
        {{"id", Type::nullable(Type::string()),
          "the producer's cart_id, else one made here; null where there is no cart",
          [](const Cart& cart, const View&, Arena&) { return optional_text(cart.id); }},
         {"items", Type::list(Type::object("CartItem")),
          "what lies in it, in the order it was put there",
          [](const Cart& cart, const View& view, Arena& arena) {
              return list_of(cart.lines, view, arena,
                             [](const CartLine& line) { return line.quantity > 0; });
          }},
         {"value", Type::nullable(Type::floating()),
          "sum of price times quantity; null with several currencies",
          [](const Cart& cart, const View&, Arena&) {
              return cart.mixed_currencies ? Value::null()
                                           : Value::floating(cart.value().to_double());
          }},
         {"currency", Type::nullable(Type::string()), "ISO 4217",
          [](const Cart& cart, const View&, Arena&) { return optional_text(cart.currency); }},
         {"updated_at", Type::nullable(Type::timestamp()),
          "when something last changed in it; null where there is no cart",
          [](const Cart& cart, const View&, Arena&) { return optional_time(cart.updated_at); }},
         {"ordered", Type::boolean(), "an order named it, or bought one of its products",
          [](const Cart& cart, const View&, Arena&) { return Value::boolean(cart.ordered); }}}};
    return fields;
}

template <> const FieldTable<OrderLine>& table<OrderLine>() {
    static const FieldTable<OrderLine> fields{
        "OrderItem",
        "One line of an order.",
        {lying<&OrderLine::product_id>("product_id", "the producer's id of the product"),
         lying<&OrderLine::name>("name", "what the shop calls it"),
         lying<&OrderLine::category>("category", "as the producer sends it"),
         lying<&OrderLine::price>("price", "of one"),
         lying<&OrderLine::quantity>("quantity", "how many")}};
    return fields;
}

template <> const FieldTable<Order>& table<Order>() {
    static const FieldTable<Order> fields{
        "Order",
        "One order; the last 20 are kept.",
        {lying<&Order::id>("id", "the producer's order_id"),
         {"items", Type::list(Type::object("OrderItem")), "what was bought",
          [](const Order& order, const View& view, Arena& arena) {
              return list_of(order.items, view, arena, [](const OrderLine&) { return true; });
          }},
         lying<&Order::total>("total", "what was paid"),
         {"currency", Type::nullable(Type::string()), "ISO 4217",
          [](const Order& order, const View&, Arena&) { return optional_text(order.currency); }},
         {"placed_at", Type::timestamp(), "when it was placed, by the producer",
          [](const Order& order, const View&, Arena&) {
              return Value::timestamp(order.placed_at);
          }},
         {"status", Type::string(), "`placed`, `cancelled` or `refunded`",
          [](const Order& order, const View&, Arena&) {
              switch (order.status) {
              case OrderStatus::placed: return Value::string("placed");
              case OrderStatus::cancelled: return Value::string("cancelled");
              case OrderStatus::refunded: return Value::string("refunded");
              }
              return Value::null();
          }},
         {"coupon", Type::nullable(Type::string()), "the code that was redeemed, or null",
          [](const Order& order, const View&, Arena&) { return optional_text(order.coupon); }}}};
    return fields;
}

template <> const FieldTable<Session>& table<Session>() {
    static const FieldTable<Session> fields{
        "Session",
        "The visit: ends after 30 minutes without an event; the last one until a new one begins.",
        {{"id", Type::nullable(Type::string()), "made here; null before the first event",
          [](const Session& session, const View&, Arena&) { return optional_text(session.id); }},
         {"started_at", Type::nullable(Type::timestamp()), "when its first event happened",
          [](const Session& session, const View&, Arena&) {
              return optional_time(session.started_at);
          }},
         {"views", Type::integer(), "products viewed",
          [](const Session& session, const View&, Arena&) {
              return Value::integer(session.views);
          }},
         {"events", Type::integer(), "how many it has had",
          [](const Session& session, const View&, Arena&) {
              return Value::integer(session.events);
          }},
         {"products", Type::list(Type::string()), "ids, newest first, at most 20",
          [](const Session& session, const View&, Arena& arena) {
              return texts(session.products, arena);
          }},
         {"categories", Type::list(Type::string()), "newest first, at most 20",
          [](const Session& session, const View&, Arena& arena) {
              return texts(session.categories, arena);
          }},
         {"referrer", Type::nullable(Type::string()), "the page that led to it, or null",
          [](const Session& session, const View&, Arena&) {
              return optional_text(session.referrer);
          }},
         {"campaign", Type::nullable(Type::string()),
          "the name of the campaign that led to it, or null",
          [](const Session& session, const View&, Arena&) {
              return optional_text(session.campaign);
          }},
         {"intent", Type::nullable(Type::floating()),
          "probability of an order in this session from now on, 0 when it has ended; null until a "
          "model is loaded",
          [](const Session&, const View& view, Arena&) {
              const auto* const model = view.catalog ? view.catalog->intent() : nullptr;
              if (!model) return Value::null();
              return Value::floating(intent_of(*model, *view.customer, view.now,
                                               view.catalog->settings().session_idle));
          }}}};
    return fields;
}

template <> const FieldTable<Customer>& table<Customer>() {
    static const FieldTable<Customer> fields{
        "Customer",
        "The person, as of `now`.",
        {{"id", Type::string(), "the user id, or `anonymous:…`",
          [](const Customer& customer, const View&, Arena& arena) {
              return Value::string(display(customer.id), arena);
          }},
         lying_map<&Customer::traits>("traits", "what identify calls said; a missing key is null"),
         {"stage", Type::nullable(Type::string()),
          "`prospect`, `new`, `active`, `at_risk`, `lapsed` or `reactivated`; null until models "
          "are loaded",
          [](const Customer& customer, const View& view, Arena&) {
              if (!view.catalog || !view.catalog->models()) return Value::null();
              return Value::string(to_text(customer.lifecycle.stage));
          }},
         {"vip", Type::nullable(Type::boolean()),
          "among the most valuable, by the cut of the fit; null until models are loaded",
          [](const Customer& customer, const View& view, Arena&) {
              if (!view.catalog || !view.catalog->models()) return Value::null();
              return Value::boolean(customer.lifecycle.vip);
          }},
         {"churn_risk", Type::nullable(Type::floating()),
          "1 - p_alive, or how far overdue where churn is not identifiable; null before the first "
          "order, and until "
          "models are loaded",
          [](const Customer& customer, const View& view, Arena&) {
              return scored_buyer(customer, view,
                                  [](const models::ModelSet& models, const models::History& h) {
                                      return Value::floating(models.purchases.churn_risk(h));
                                  });
          }},
         {"p_alive", Type::nullable(Type::floating()),
          "the chance that they still are a customer; null where churn is not identifiable, before "
          "the first order, "
          "and until models are loaded",
          [](const Customer& customer, const View& view, Arena&) {
              return scored_buyer(customer, view,
                                  [](const models::ModelSet& models, const models::History& h) {
                                      return number_or_null(models.purchases.p_alive(h));
                                  });
          }},
         {"clv", Type::nullable(Type::floating()),
          "what the orders of the next 52 weeks will bring, discounted; null before the first "
          "order, in another currency than that of the workspace and the models, and until models "
          "are loaded",
          [](const Customer& customer, const View& view, Arena&) {
              return scored_buyer(
                  customer, view, [&](const models::ModelSet& models, const models::History& h) {
                      return is_valued(customer, view) ? number_or_null(models.clv(h))
                                                       : Value::null();
                  });
          }},
         {"expected_orders_90d", Type::nullable(Type::floating()),
          "orders to expect within 90 days; null before the first order, and until models are "
          "loaded",
          [](const Customer& customer, const View& view, Arena&) {
              return scored_buyer(customer, view,
                                  [](const models::ModelSet& models, const models::History& h) {
                                      return Value::floating(models.expected_orders_90d(h));
                                  });
          }},
         {"overdue", Type::nullable(Type::floating()),
          "the chance that the next order would have come by now, if they still are a customer",
          [](const Customer& customer, const View& view, Arena&) {
              return scored_buyer(customer, view,
                                  [](const models::ModelSet& models, const models::History& h) {
                                      return Value::floating(models.purchases.overdue(h));
                                  });
          }},
         {"expected_next_order_at", Type::nullable(Type::timestamp()),
          "half of all like them will have ordered again by then, if they still are a customer",
          [](const Customer& customer, const View& view, Arena&) {
              return scored_buyer(
                  customer, view, [&](const models::ModelSet& models, const models::History& h) {
                      const auto weeks =
                          models::Weeks{h.t_x + models.purchases.median_gap(h.x, h.t_x)};
                      if (weeks.count() > 1e5) return Value::null();
                      return Value::timestamp(customer.purchases.first_day() +
                                              std::chrono::ceil<Duration>(weeks));
                  });
          }},
         {"rfm", Type::nullable(Type::string()),
          "recency, frequency and spend as digits from 1 to 5, 5 the best; null in another "
          "currency, as clv, and until models are loaded",
          [](const Customer& customer, const View& view, Arena& arena) {
              if (!view.catalog || !view.catalog->models()) return Value::null();
              if (!is_valued(customer, view)) return Value::null();
              const auto digits = rfm(*view.catalog->models(), customer.purchases, view.now);
              if (!digits) return Value::null();
              return Value::string(std::string_view{digits->data(), digits->size()}, arena);
          }},
         {"orders", Type::integer(), "without cancelled and refunded ones",
          [](const Customer& customer, const View&, Arena&) {
              return Value::integer(customer.order_count);
          }},
         {"revenue", Type::floating(), "net of refunds",
          [](const Customer& customer, const View&, Arena&) {
              return Value::floating(customer.revenue.to_double());
          }},
         {"first_seen", Type::timestamp(), "when the first event happened",
          [](const Customer& customer, const View&, Arena&) {
              return Value::timestamp(customer.first_seen);
          }},
         {"last_seen", Type::timestamp(), "when the last event happened",
          [](const Customer& customer, const View&, Arena&) {
              return Value::timestamp(customer.last_seen);
          }},
         {"last_order_at", Type::nullable(Type::timestamp()),
          "when the last order was placed; null without one",
          [](const Customer& customer, const View&, Arena&) {
              return optional_time(customer.last_order_at);
          }},
         {"timezone", Type::nullable(Type::string()), "IANA name",
          [](const Customer& customer, const View&, Arena&) {
              return optional_text(customer.timezone);
          }},
         {"locale", Type::nullable(Type::string()), "e.g. `de-AT`",
          [](const Customer& customer, const View&, Arena&) {
              return optional_text(customer.locale);
          }},
         {"country", Type::nullable(Type::string()), "ISO 3166",
          [](const Customer& customer, const View&, Arena&) {
              return optional_text(customer.country);
          }},
         {"consent", Type::map(Type::string(), Type::map(Type::string(), Type::string())),
          "`consent[channel][topic]`: `subscribed`, `unsubscribed`, `pending` (not yet confirmed) "
          "or `never`; null where nothing "
          "was said",
          [](const Customer& customer, const View&, Arena& arena) {
              return consents(customer, arena);
          }},
         {"known", Type::boolean(), "has a user id",
          [](const Customer& customer, const View&, Arena&) {
              return Value::boolean(customer.id.space < IdNamespace::anonymous);
          }}}};
    return fields;
}

std::vector<const cel::ObjectType*> all_types() {
    return {&table<Event>().type,         &table<StoredEvent>().type, &table<SentStep>().type,
            &table<StoredProduct>().type, &table<RunCoupon>().type,   &table<Run>().type,
            &table<CartLine>().type,      &table<Cart>().type,        &table<OrderLine>().type,
            &table<Order>().type,         &table<Session>().type,     &table<Customer>().type};
}

} // namespace journeys::bindings
