/// The customer's flat block: a schema version, then every field in one fixed order. Numbers are
/// varints, instants are differences to `Customer::now`, texts and lists begin with their size, and
/// of each value there is exactly one way to write it, so equal customers are equal bytes. Each
/// struct is described once, for writing and reading alike.
#include "journeys/customer.hpp"

#include "journeys/orders.hpp"
#include "journeys/packed.hpp"
#include "journeys/release.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

namespace journeys {
namespace {

/// A bigger block is refused before anything of it is read: no customer within the bounds comes
/// near it.
constexpr std::size_t block_bytes_max = 16 * 1024 * 1024;

constexpr std::uint64_t zigzag(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// An instant is written as one of these, or as its zigzag difference to `now` plus two.
constexpr std::uint64_t time_zero = 0; ///< 1970, which stands for "never yet".
constexpr std::uint64_t time_never = 1;
constexpr std::uint64_t time_first = 2;

/// The last value of each stored enumeration: what is beyond it is no value.
constexpr auto last_of(IdNamespace) { return IdNamespace::token; }
constexpr auto last_of(OrderStatus) { return OrderStatus::refunded; }
constexpr auto last_of(ConsentState) { return ConsentState::pending; }
constexpr auto last_of(Sending) { return Sending::revoked; }
constexpr auto last_of(IntentState) { return IntentState::recalled; }
constexpr auto last_of(NoEntry) { return NoEntry::testers; }
constexpr auto last_of(Stage) { return Stage::reactivated; }

class Writer {
public:
    static constexpr bool reads = false;
    explicit Writer(std::uint8_t version) : version_(version) {}
    std::uint8_t version() const { return version_; }

    void byte(std::uint8_t value) {
        ensure(1);
        *at_++ = static_cast<char>(value);
    }
    void varint(std::uint64_t value) {
        ensure(10);
        while (value >= 0x80) {
            *at_++ = static_cast<char>(value | 0x80);
            value >>= 7;
        }
        *at_++ = static_cast<char>(value);
    }
    void fixed(std::uint64_t value) {
        ensure(8);
        for (int i = 0; i < 8; ++i) at_[i] = static_cast<char>(value >> (8 * i));
        at_ += 8;
    }
    void text(const std::string& value) {
        varint(value.size());
        ensure(value.size());
        std::memcpy(at_, value.data(), value.size());
        at_ += value.size();
    }
    void packed(const std::string& value) { text(value); }
    void number(std::uint64_t value) { varint(value); }
    void number(std::uint32_t value) { varint(value); }
    void number(std::uint16_t value) { varint(value); }
    void number(std::int64_t value) { varint(zigzag(value)); }
    void number(std::int32_t value) { varint(zigzag(value)); }
    void money(Money value) { varint(zigzag(value.ten_thousandths())); }
    void boolean(bool value) { byte(value); }
    template <class Enum> void choice(Enum value) { byte(static_cast<std::uint8_t>(value)); }
    template <class Tag> void hash_id(HashId<Tag> id) {
        fixed(id.high);
        fixed(id.low);
    }
    void origin(Timestamp now) {
        now_ = to_millis(std::clamp(now, timestamp_min, timestamp_max));
        varint(zigzag(now_));
    }
    void time(Timestamp at) {
        if (at == Timestamp{}) return varint(time_zero);
        if (at == no_time) return varint(time_never);
        const auto millis = to_millis(std::clamp(at, timestamp_min, timestamp_max));
        varint(zigzag(millis - now_) + time_first);
    }
    template <class Item, class Describe>
    void list(const std::vector<Item>& items, std::size_t, Describe describe) {
        varint(items.size());
        for (const auto& item : items) describe(item);
    }
    std::string take() const { return {begin_, static_cast<std::size_t>(at_ - begin_)}; }

private:
    void ensure(std::size_t bytes) {
        if (static_cast<std::size_t>(end_ - at_) < bytes) grow(bytes);
    }
    void grow(std::size_t bytes) {
        const auto used = static_cast<std::size_t>(at_ - begin_);
        const auto size = 2 * (used + bytes);
        std::unique_ptr<char[]> bigger{new char[size]};
        std::memcpy(bigger.get(), begin_, used);
        heap_ = std::move(bigger);
        begin_ = heap_.get();
        at_ = begin_ + used;
        end_ = begin_ + size;
    }

    std::uint8_t version_;
    std::array<char, 4096>
        stack_; // Not initialised: most customers fit, and only what is written is read.
    std::unique_ptr<char[]> heap_;
    char* begin_ = stack_.data();
    char* at_ = begin_;
    char* end_ = begin_ + stack_.size();
    std::int64_t now_ = 0;
};

/// Reads untrusted bytes. After the first mistake everything reads as empty, so the caller checks
/// once.
class Reader {
public:
    static constexpr bool reads = true;

    Reader(std::string_view bytes, std::uint8_t version, bool is_own = false)
        : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()), version_(version),
          is_own_(is_own) {}

    /// Of the block that is read: a field that came later is not in it.
    std::uint8_t version() const { return version_; }

    std::uint8_t byte() {
        if (at_ == end_) return fail("it ends too early"), std::uint8_t{0};
        return static_cast<std::uint8_t>(*at_++);
    }
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 70; shift += 7) {
            const auto next = byte();
            if (shift == 63 && next > 1) break;
            value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
            if (next >= 0x80) continue;
            if (next == 0 && shift > 0) break; // It could be shorter.
            return value;
        }
        fail("a number is malformed");
        return 0;
    }
    std::uint64_t fixed() {
        if (left() < 8) return fail("it ends too early"), std::uint64_t{0};
        std::uint64_t value = 0;
        for (int i = 0; i < 8; ++i)
            value |= static_cast<std::uint64_t>(static_cast<unsigned char>(at_[i])) << (8 * i);
        at_ += 8;
        return value;
    }
    void fixed(std::uint64_t& value) { value = fixed(); }
    void text(std::string& value) {
        const auto size = varint();
        if (size > left()) return fail("a text is longer than what is left");
        value.assign(at_, size);
        at_ += size;
    }
    void packed(std::string& value) {
        text(value);
        if (!is_own_ && !value.empty() && !PackedView::validate(value))
            fail("packed data is malformed");
    }
    template <class Number> void number(Number& value) {
        const auto raw = varint();
        if constexpr (std::is_signed_v<Number>) {
            value = static_cast<Number>(unzigzag(raw));
            if (value != unzigzag(raw)) fail("a number is out of range");
        } else {
            value = static_cast<Number>(raw);
            if (value != raw) fail("a number is out of range");
        }
    }
    void money(Money& value) { value = Money::of_ten_thousandths(unzigzag(varint())); }
    void boolean(bool& value) {
        const auto raw = byte();
        if (raw > 1) fail("a flag is neither set nor unset");
        value = raw == 1;
    }
    template <class Enum> void choice(Enum& value) {
        const auto raw = byte();
        if (raw > static_cast<std::uint8_t>(last_of(Enum{}))) return fail("a choice is unknown");
        value = static_cast<Enum>(raw);
    }
    template <class Tag> void hash_id(HashId<Tag>& id) {
        id.high = fixed();
        id.low = fixed();
    }
    void origin(Timestamp& now) {
        now = from_millis(unzigzag(varint()));
        if (now < timestamp_min || now > timestamp_max) {
            fail("a time is out of range");
            now = Timestamp{};
        }
        now_ = to_millis(now);
    }
    void time(Timestamp& at) {
        const auto raw = varint();
        if (raw == time_zero || raw == time_never) {
            at = raw == time_zero ? Timestamp{} : no_time;
            return;
        }
        std::int64_t millis = 0;
        if (__builtin_add_overflow(unzigzag(raw - time_first), now_, &millis) ||
            millis < to_millis(timestamp_min) || millis >= to_millis(no_time) || millis == 0)
            return fail("a time is out of range");
        at = from_millis(millis);
    }
    /// `item_bytes_min`: what the shortest item takes; a count that cannot be true is refused
    /// before anything is set aside for it.
    template <class Item, class Describe>
    void list(std::vector<Item>& items, std::size_t item_bytes_min, Describe describe) {
        const auto count = varint();
        if (count > left() / item_bytes_min) return fail("a list is longer than what is left");
        if (items.size() > count) items.resize(count);
        items.reserve(std::min<std::size_t>(count, 1024));
        for (std::uint64_t i = 0; i < count && !mistake_; ++i)
            describe(i < items.size() ? items[i] : items.emplace_back());
    }
    void fail(const char* mistake) {
        if (mistake_) return;
        mistake_ = mistake;
        mistake_at_ = static_cast<std::size_t>(at_ - begin_);
        at_ = end_;
    }
    /// What was wrong first, and where; nothing where all was read and all was right.
    std::optional<std::string> mistake() {
        if (!mistake_ && at_ != end_) fail("it goes on after its end");
        if (!mistake_) return std::nullopt;
        return std::string{mistake_} + ", at byte " + std::to_string(mistake_at_);
    }

private:
    std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

    const char* begin_;
    const char* at_;
    const char* end_;
    const char* mistake_ = nullptr;
    std::size_t mistake_at_ = 0;
    std::int64_t now_ = 0;
    std::uint8_t version_;
    bool is_own_; ///< Packed by this process: what it holds packed needs no second look.
};

// A field that is added to a struct must be added to its description, and to the next schema
// version.
struct Anything {
    template <class Type> operator Type() const;
};
template <class Type, std::size_t... index> constexpr bool takes(std::index_sequence<index...>) {
    return requires { Type{(static_cast<void>(index), Anything{})...}; };
}
template <class Type, std::size_t count>
constexpr bool has_fields = takes<Type>(std::make_index_sequence<count>{}) &&
                            !takes<Type>(std::make_index_sequence<count + 1>{});
static_assert(has_fields<CustomerId, 2> && has_fields<CartLine, 9> && has_fields<Cart, 11>);
static_assert(has_fields<OrderLine, 6> && has_fields<Order, 11> && has_fields<Session, 10>);
static_assert(has_fields<Counter, 3> && has_fields<NewestEvent, 3> && has_fields<Consent, 6>);
static_assert(has_fields<SendMark, 5> && has_fields<SentStep, 7> && has_fields<Run, 24>);
static_assert(has_fields<EndedRun, 4> && has_fields<GoalWatch, 8> && has_fields<Refusal, 6>);
static_assert(has_fields<Suppression, 4> && has_fields<Customer, 43> && has_fields<DateTimer, 4>);
static_assert(has_fields<DecisionWatch, 5> && has_fields<RewardedDecision, 4> &&
              has_fields<RunCoupon, 3>);
static_assert(has_fields<models::PurchaseDay, 3> && has_fields<models::Purchases, 4> &&
              has_fields<Lifecycle, 6>);

/// `const Type&` for the writer, `Type&` for the reader.
template <class Io, class Type> using Field = std::conditional_t<Io::reads, Type&, const Type&>;

/// Whether the block has these fields, which came with `version`. Where it has not they are made
/// empty: what is read into may have been somebody else.
template <class Io, class... Fields> bool since(Io& io, std::uint8_t version, Fields&... fields) {
    if (io.version() >= version) return true;
    if constexpr (Io::reads) ((fields = {}), ...);
    return false;
}

template <class Io> void describe(Io& io, Field<Io, CustomerId> id) {
    io.choice(id.space);
    io.text(id.value);
}

template <class Io> void describe(Io& io, Field<Io, CartLine> line) {
    io.text(line.product_id);
    io.text(line.sku);
    io.text(line.name);
    io.text(line.category);
    io.text(line.url);
    io.text(line.image_url);
    io.money(line.price);
    io.number(line.quantity);
    io.time(line.changed_at);
}

template <class Io> void describe(Io& io, Field<Io, Cart> cart) {
    io.text(cart.id);
    io.boolean(cart.made_here);
    io.list(cart.lines, 9, [&](auto& line) { describe<Io>(io, line); });
    io.text(cart.currency);
    io.boolean(cart.mixed_currencies);
    io.time(cart.updated_at);
    io.time(cart.emptied_at);
    io.boolean(cart.ordered);
    io.text(cart.checkout_id);
    io.text(cart.order_id);
    io.boolean(cart.joined_by_guess);
}

template <class Io> void describe(Io& io, Field<Io, OrderLine> line) {
    io.text(line.product_id);
    io.text(line.sku);
    io.text(line.name);
    io.text(line.category);
    io.money(line.price);
    io.number(line.quantity);
}

template <class Io> void describe(Io& io, Field<Io, Order> order) {
    io.text(order.id);
    io.list(order.items, 6, [&](auto& line) { describe<Io>(io, line); });
    io.money(order.total);
    io.money(order.refunded);
    io.text(order.currency);
    io.time(order.placed_at);
    io.choice(order.status);
    io.text(order.coupon);
    io.text(order.cart_id);
    io.time(order.changed_at);
    io.boolean(order.confirmed);
}

template <class Io> void describe(Io& io, Field<Io, Session> session) {
    io.text(session.id);
    io.time(session.started_at);
    io.time(session.last_at);
    io.number(session.views);
    io.number(session.events);
    io.list(session.products, 1, [&](auto& product) { io.text(product); });
    io.list(session.categories, 1, [&](auto& category) { io.text(category); });
    io.text(session.referrer);
    io.text(session.campaign);
    io.boolean(session.end_announced);
}

template <class Io> void describe(Io& io, Field<Io, Counter> counter) {
    io.text(counter.name);
    io.list(counter.newest, 2, [&](auto& occurrence) {
        io.time(occurrence.at);
        io.packed(occurrence.properties);
    });
    io.list(counter.hours, 2, [&](auto& hour) {
        io.number(hour.hour);
        io.number(hour.count);
    });
}

template <class Io> void describe(Io& io, Field<Io, NewestEvent> event) {
    io.text(event.name);
    io.time(event.at);
    io.packed(event.properties);
}

template <class Io> void describe(Io& io, Field<Io, Consent> consent) {
    io.text(consent.channel);
    io.text(consent.topic);
    io.choice(consent.state);
    io.time(consent.at);
    io.text(consent.source);
    if (since<Io>(io, 2, consent.text_version)) io.text(consent.text_version);
}

template <class Io> void describe(Io& io, Field<Io, Suppression> suppression) {
    io.text(suppression.channel);
    if (!since<Io>(io, 2, suppression.address, suppression.reason, suppression.at)) return;
    io.fixed(suppression.address);
    io.text(suppression.reason);
    io.time(suppression.at);
}

template <class Io> void describe(Io& io, Field<Io, SendMark> mark) {
    io.time(mark.at);
    io.text(mark.channel);
    io.text(mark.topic);
    io.hash_id(mark.intent);
    io.boolean(mark.capped);
}

template <class Io> void describe(Io& io, Field<Io, SentStep> sent) {
    io.text(sent.step);
    io.time(sent.scheduled);
    io.time(sent.at);
    io.choice(sent.state);
    if (!since<Io>(io, 2, sent.delivered_at, sent.opened_at, sent.clicked_at)) return;
    io.time(sent.delivered_at);
    io.time(sent.opened_at);
    io.time(sent.clicked_at);
}

template <class Io> void describe(Io& io, Field<Io, Run> run) {
    io.hash_id(run.id);
    io.text(run.journey);
    io.fixed(run.version);
    io.text(run.key);
    io.text(run.cart_id);
    describe<Io>(io, run.customer_at_entry);
    io.time(run.entered_at);
    io.fixed(run.entry_message);
    io.packed(run.event);
    io.packed(run.last_event);
    io.boolean(run.held_out);
    io.number(run.step);
    io.time(run.base);
    io.time(run.due);
    io.time(run.wait_limit);
    io.time(run.step_reached);
    io.choice(run.sending);
    // The intent is there only between opening and outcome; else one byte says so.
    bool has_intent = static_cast<bool>(run.intent);
    io.boolean(has_intent);
    if (has_intent) {
        io.hash_id(run.intent);
        if constexpr (Io::reads)
            if (!run.intent) io.fail("an intent is said to be there and is not");
    } else if constexpr (Io::reads) {
        run.intent = {};
    }
    io.time(run.expires_at);
    io.time(run.last_hand_over);
    io.packed(run.frozen_data);
    io.list(run.sent, 4, [&](auto& sent) { describe<Io>(io, sent); });
    if (since<Io>(io, 4, run.events))
        io.list(run.events, 1, [&](auto& event) { io.packed(event); });
    if (since<Io>(io, 6, run.coupons))
        io.list(run.coupons, 3, [&](auto& coupon) {
            io.text(coupon.pool);
            io.text(coupon.code);
            io.time(coupon.expires_at);
        });
}

template <class Io> void describe(Io& io, Field<Io, EndedRun> run) {
    io.text(run.journey);
    io.fixed(run.key_hash);
    io.time(run.entered_at);
    io.time(run.ended_at);
}

template <class Io> void describe(Io& io, Field<Io, GoalWatch> watch) {
    io.text(watch.journey);
    io.fixed(watch.version);
    io.hash_id(watch.run);
    io.text(watch.key);
    io.number(watch.goal);
    io.boolean(watch.held_out);
    io.time(watch.from);
    io.time(watch.until);
}

/// A line and a condition are one number, so that what was written when only lines were kept is
/// still a line.
constexpr unsigned line_bits = 20;
constexpr std::uint32_t line_max = (1u << line_bits) - 1, condition_max = (1u << 12) - 1;

template <class Io> void describe(Io& io, Field<Io, Refusal> refusal) {
    io.text(refusal.journey);
    io.fixed(refusal.version);
    io.choice(refusal.reason);
    std::uint32_t place = std::min(refusal.line, line_max);
    if (refusal.condition <= condition_max) place |= refusal.condition << line_bits;
    io.number(place);
    if constexpr (Io::reads) {
        refusal.line = place & line_max;
        refusal.condition = place >> line_bits;
    }
    io.time(refusal.at);
}

template <class Io> void describe(Io& io, Field<Io, models::Purchases> purchases) {
    io.list(purchases.days, 3, [&](auto& day) {
        io.number(day.day);
        io.number(day.orders);
        io.money(day.spend);
    });
    io.number(purchases.folded_days);
    io.number(purchases.folded_until);
    io.money(purchases.folded_spend);
    if constexpr (Io::reads) {
        const auto rises = [](const auto& a, const auto& b) { return a.day >= b.day; };
        if (std::ranges::adjacent_find(purchases.days, rises) != purchases.days.end())
            io.fail("purchase days do not rise");
        if (purchases.days.empty() && purchases.folded_days != 0)
            io.fail("purchases are folded and none is there");
    }
}

template <class Io> void describe(Io& io, Field<Io, Lifecycle> life) {
    io.choice(life.stage);
    io.boolean(life.vip);
    io.time(life.since);
    io.time(life.due);
    io.number(life.last_day);
    io.list(life.entered_by_risk, 8, [&](auto& journey) { io.fixed(journey); });
}

template <class Io> void describe(Io& io, Field<Io, DecisionWatch> watch) {
    io.hash_id(watch.id);
    io.text(watch.action);
    io.text(watch.reward);
    io.time(watch.from);
    io.time(watch.until);
}

template <class Io> void describe(Io& io, Field<Io, RewardedDecision> rewarded) {
    describe<Io>(io, rewarded.watch);
    io.fixed(rewarded.order);
    io.money(rewarded.value);
    io.time(rewarded.at);
}

template <class Io> void describe(Io& io, Field<Io, DateTimer> timer) {
    io.text(timer.journey);
    io.number(timer.day);
    io.number(timer.last_day);
    io.time(timer.due);
}

/// The dedup ring's two lists are one in the block, so they cannot differ in length.
void describe_dedup(Writer& io, const Customer& customer) {
    io.varint(customer.dedup.size());
    for (std::size_t i = 0; i < customer.dedup.size(); ++i) {
        io.fixed(customer.dedup[i]);
        io.time(i < customer.dedup_written.size() ? customer.dedup_written[i] : Timestamp{});
    }
}
void describe_dedup(Reader& io, Customer& customer) {
    customer.dedup_written.clear();
    io.list(customer.dedup, 9, [&](std::uint64_t& hash) {
        io.fixed(hash);
        io.time(customer.dedup_written.emplace_back());
    });
}

/// Of a block from before purchases were kept: those of the orders that are still listed.
void recall_purchases(Customer& customer) {
    for (const auto& order : customer.orders)
        if (const auto purchase = purchase_of(order, customer.currency))
            models::add_order(customer.purchases, purchase->day, purchase->spend);
}

template <class Io> void describe(Io& io, Field<Io, Customer> customer) {
    io.origin(customer.now); // First, because every other time counts from it.
    describe<Io>(io, customer.id);
    io.list(customer.known_ids, 2, [&](auto& id) { describe<Io>(io, id); });
    bool is_forwarded = customer.forward_to.has_value();
    io.boolean(is_forwarded);
    if constexpr (Io::reads) customer.forward_to.reset();
    if (is_forwarded) {
        if constexpr (Io::reads) customer.forward_to.emplace();
        describe<Io>(io, *customer.forward_to);
    }
    io.list(customer.transfers, 8, [&](auto& transfer) { io.fixed(transfer); });
    io.number(customer.applied);
    io.number(customer.revision);
    io.fixed(customer.publication);
    io.time(customer.accepted_at);
    io.time(customer.first_seen);
    io.time(customer.last_seen);
    io.time(customer.last_order_at);
    io.packed(customer.traits);
    io.time(customer.traits_at);
    io.text(customer.timezone);
    io.text(customer.locale);
    io.text(customer.country);
    io.list(customer.consents, 5, [&](auto& consent) { describe<Io>(io, consent); });
    io.list(customer.suppressions, 1, [&](auto& one) { describe<Io>(io, one); });
    if (since<Io>(io, 2, customer.active_hours))
        io.list(customer.active_hours, 1, [&](auto& count) { io.number(count); });
    io.list(customer.carts, 11, [&](auto& cart) { describe<Io>(io, cart); });
    io.number(customer.carts_made);
    io.list(customer.orders, 11, [&](auto& order) { describe<Io>(io, order); });
    io.list(customer.older_orders, 8, [&](auto& hash) { io.fixed(hash); });
    io.number(customer.order_count);
    io.money(customer.revenue);
    io.text(customer.currency);
    describe<Io>(io, customer.session);
    io.list(customer.counters, 3, [&](auto& counter) { describe<Io>(io, counter); });
    io.list(customer.newest_events, 3, [&](auto& event) { describe<Io>(io, event); });
    io.list(customer.runs, 52, [&](auto& run) { describe<Io>(io, run); });
    io.list(customer.ended, 11, [&](auto& ended) { describe<Io>(io, ended); });
    io.list(customer.goals, 30, [&](auto& watch) { describe<Io>(io, watch); });
    io.list(customer.sends, 20, [&](auto& mark) { describe<Io>(io, mark); });
    describe_dedup(io, customer);
    io.time(customer.dedup_evicted);
    if (since<Io>(io, 2, customer.refusals))
        io.list(customer.refusals, 12, [&](auto& refusal) { describe<Io>(io, refusal); });
    if (since<Io>(io, 2, customer.purchases, customer.lifecycle)) {
        describe<Io>(io, customer.purchases);
        describe<Io>(io, customer.lifecycle);
    } else if constexpr (Io::reads) {
        recall_purchases(customer);
    }
    // Since 3: journeys by a date.
    if (since<Io>(io, 3, customer.dates))
        io.list(customer.dates, 4, [&](auto& timer) { describe<Io>(io, timer); });
    // Since 5: rewards of decisions.
    if (since<Io>(io, 5, customer.decisions))
        io.list(customer.decisions, 20, [&](auto& watch) { describe<Io>(io, watch); });
    // Since 6: rewards that may be taken back.
    if (since<Io>(io, 6, customer.rewarded))
        io.list(customer.rewarded, 30, [&](auto& rewarded) { describe<Io>(io, rewarded); });
}

} // namespace

namespace {

std::string pack_as(const Customer& customer, std::uint8_t version) {
    Writer io{version};
    io.byte(version);
    describe<Writer>(io, customer);
    return io.take();
}

} // namespace

std::string pack(const Customer& customer) { return pack_as(customer, state_version()); }

std::string pack_for_release_before(const Customer& customer) {
    return pack_as(customer, customer_schema_version_before);
}

Result<Customer> unpack(std::string_view block) {
    Result<Customer> result{Customer{}};
    if (auto done = unpack(block, *result); !done) return done.error();
    return result;
}

namespace {

Result<void> read(std::string_view block, Customer& customer, bool is_own) {
    const auto refuse = [](std::string why) {
        return Error{ErrorCode::invalid_state, "this is no customer's state: " + std::move(why)};
    };
    if (block.empty()) return refuse("it is empty");
    const auto version = static_cast<std::uint8_t>(block.front());
    if (version == 0 || version > state_version())
        return Error{ErrorCode::invalid_state,
                     "the customer's state has schema version " + std::to_string(version) +
                         "; this program reads versions up to " + std::to_string(state_version())};
    if (block.size() > block_bytes_max)
        return refuse("it has " + std::to_string(block.size()) + " bytes; at most " +
                      std::to_string(block_bytes_max) + " are read");
    Reader io{block.substr(1), version, is_own};
    describe<Reader>(io, customer);
    if (auto mistake = io.mistake()) return refuse(std::move(*mistake));
    return {};
}

} // namespace

Result<void> unpack(std::string_view block, Customer& customer) {
    return read(block, customer, false);
}

Result<void> unpack_own(std::string_view block, Customer& customer) {
    return read(block, customer, true);
}

} // namespace journeys
