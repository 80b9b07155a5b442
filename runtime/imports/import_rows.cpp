#include "runtime/imports/import_rows.hpp"

#include "journeys/addresses.hpp"
#include "journeys/ids.hpp"
#include "journeys/money.hpp"
#include "journeys/packed.hpp"
#include "journeys/policy.hpp"
#include "schema/product_json.hpp"
#include "schema/timestamp_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <unordered_map>

namespace runtime {
namespace {

using journeys::append_json_string;
using journeys::Error;
using journeys::Result;
using journeys::Timestamp;
using Column = std::optional<std::size_t>;

Error wrong(std::string what) { return {journeys::ErrorCode::invalid_argument, std::move(what)}; }

/// Members of a JSON object, written one after the other.
class Members {
public:
    explicit Members(std::string& out) : out_(out) {}
    void text(std::string_view name, std::string_view value) {
        if (value.empty()) return;
        begin(name);
        append_json_string(out_, value);
    }
    void raw(std::string_view name, std::string_view json) {
        begin(name);
        out_ += json;
    }

private:
    void begin(std::string_view name) {
        if (!is_first_) out_ += ',';
        is_first_ = false;
        append_json_string(out_, name);
        out_ += ':';
    }
    std::string& out_;
    bool is_first_ = true;
};

/// A day has begun somewhere before it begins here.
constexpr auto ahead_max = std::chrono::hours{24};

Result<Timestamp> time_of(std::string_view text, std::string_view column, Timestamp now) {
    if (text.empty()) return wrong(std::string{column} + " is missing");
    const auto refused = [&](std::string_view why) {
        return wrong(std::string{column} + ": \"" + std::string{text.substr(0, 40)} + "\" " +
                     std::string{why});
    };
    const auto at = schema::parse_producer_time(text);
    if (!at) return refused("is no ISO date or time");
    if (*at > now + ahead_max) return refused("has not come yet");
    return *at;
}

/// Whose a row is.
class Who {
public:
    explicit Who(const schema::CsvReader& table)
        : user_(table.column({"customer_id", "user_id", "userid"})),
          anonymous_(table.column({"anonymous_id", "anonymousid"})),
          email_(table.column({"email", "email_address"})),
          phone_(table.column({"phone", "phone_number"})) {}

    bool has_column() const { return user_ || anonymous_ || email_ || phone_; }

    /// One of the ids by which two rows are of one customer, or are not.
    struct Id {
        char kind;
        std::string_view value;
    };
    std::array<Id, 4> ids() const {
        return {{{'u', user}, {'e', email}, {'p', phone}, {'a', anonymous}}};
    }

    Result<void> read(const schema::CsvReader& row) {
        user = row.cell(user_);
        anonymous = row.cell(anonymous_);
        email.clear();
        phone.clear();
        if (const auto text = row.cell(email_); !text.empty()) {
            const auto id = journeys::email_id(text);
            if (!id) return wrong("email is no address");
            email = id->value;
        }
        if (const auto text = row.cell(phone_); !text.empty()) {
            phone = journeys::phone_number(text);
            if (phone.empty()) return wrong("phone is no number with its country, as +49170…");
        }
        if (user.empty() && anonymous.empty() && email.empty() && phone.empty())
            return wrong("the row names nobody");
        if (user.size() > 512 || anonymous.size() > 512)
            return wrong("an id is longer than 512 bytes");
        return {};
    }

    void write(Members& members) const {
        members.text("userId", user);
        members.text("anonymousId", anonymous);
        if (email.empty() && phone.empty()) return;
        std::string ids = "{\"externalIds\":[";
        const auto add = [&](std::string_view type, const std::string& id) {
            if (id.empty()) return;
            if (ids.back() == '}') ids += ',';
            ids.append("{\"type\":\"").append(type).append("\",\"id\":");
            append_json_string(ids, id);
            ids += '}';
        };
        add("email", email);
        add("phone", phone);
        members.raw("context", ids + "]}");
    }

    std::string_view user, anonymous;
    std::string email, phone;

private:
    Column user_, anonymous_, email_, phone_;
};

/// Everything a row says, as one number: rows that differ are different messages.
std::string hash_of(const schema::CsvReader& row) {
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < row.header().size(); ++i)
        hash = journeys::hash(row.cell(i), journeys::hash(row.header()[i], hash));
    return journeys::to_hex(0, hash).substr(16);
}

/// What all messages have.
void begin_message(Members& members, std::string_view type, const std::string& id, const Who& who,
                   Timestamp at) {
    members.text("type", type);
    members.text("messageId", id);
    who.write(members);
    members.text("timestamp", schema::timestamp_text(at));
}

/// What is above it is a number that went wrong, and would spoil every sum that it is part of.
const journeys::Money amount_max = *journeys::Money::parse("1000000000000");

// Orders -----------------------------------------------------------------------------------------

class OrderRows final : public ImportRows {
public:
    OrderRows(const schema::CsvReader& table, Timestamp now)
        : now_(now), who_(table), id_(table.column({"order_id", "id"})),
          date_(table.column({"date", "ordered_at", "placed_at", "created_at"})),
          amount_(table.column({"amount", "total", "revenue"})),
          currency_(table.column({"currency"})), status_(table.column({"status"})),
          coupon_(table.column({"coupon"})), products_(table.column({"products"})) {}

    bool is_complete() const { return who_.has_column() && date_ && amount_; }

    Result<std::size_t> append(const schema::CsvReader& row, std::string& out) override {
        if (auto read = who_.read(row); !read) return read.error();
        const auto at = time_of(row.cell(date_), "date", now_);
        if (!at) return at.error();
        const auto amount = journeys::Money::parse(row.cell(amount_));
        if (!amount || *amount < journeys::Money{})
            return wrong("amount is no amount of money: write 1234.50, and a return as status "
                         "refunded");
        if (*amount > amount_max) return wrong("amount is above 1000000000000");
        const auto status = row.cell(status_);
        std::string_view after;
        if (status == "cancelled")
            after = "Order Cancelled";
        else if (status == "refunded")
            after = "Order Refunded";
        else if (!status.empty() && status != "placed" && status != "completed")
            return wrong("status is placed, cancelled or refunded");
        const auto currency = row.cell(currency_);
        if (!currency.empty() && !is_currency(currency))
            return wrong("currency: \"" + std::string{currency.substr(0, 40)} +
                         "\" is no code of ISO 4217, as EUR");
        auto products = products_of(row.cell(products_));
        if (!products) return products.error();
        auto id = std::string{row.cell(id_)};
        if (!id.empty())
            if (auto first = is_still_theirs(id, row.line()); !first) return first.error();
        if (id.empty()) id = "import-" + hash_of(row);

        const auto message_id = "import-order-" +
                                journeys::to_hex(0, journeys::hash(id)).substr(16) + '-' +
                                hash_of(row);
        write(out, "Order Completed", message_id, *at, [&](Members& properties) {
            properties.text("order_id", id);
            properties.raw("total", amount->to_text());
            properties.text("currency", currency);
            properties.text("coupon", row.cell(coupon_));
            if (!products->empty()) properties.raw("products", *products);
        });
        if (after.empty()) return std::size_t{1};
        write(out, after, message_id + "-end", *at,
              [&](Members& properties) { properties.text("order_id", id); });
        return std::size_t{2};
    }

private:
    template <class Properties>
    void write(std::string& out, std::string_view event, const std::string& id, Timestamp at,
               Properties properties) const {
        out += '{';
        Members members{out};
        begin_message(members, "track", id, who_, at);
        members.text("event", event);
        members.raw("properties", "{");
        Members own{out};
        properties(own);
        out += "}},";
    }

    static bool is_currency(std::string_view text) {
        return text.size() == 3 && std::ranges::all_of(text, [](char c) {
                   return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
               });
    }

    /// An order is of one customer: of two rows with its id that name an id of the same kind, it is
    /// the same. The kind that the first row names first decides; a row without it may be theirs.
    Result<void> is_still_theirs(const std::string& order, std::uint64_t line) {
        const auto ids = who_.ids();
        const auto named =
            std::ranges::find_if(ids, [](const auto& id) { return !id.value.empty(); });
        const auto [known, is_new] = orders_.try_emplace(
            journeys::hash(order), Owner{journeys::hash(named->value), line, named->kind});
        if (is_new) return {};
        const auto same = std::ranges::find(ids, known->second.kind, &Who::Id::kind);
        if (same->value.empty() || journeys::hash(same->value) == known->second.id) return {};
        return wrong("order_id: \"" + order.substr(0, 40) + "\" is of another customer on line " +
                     std::to_string(known->second.line));
    }

    /// `A-1*2 B-7` as a list of products.
    static Result<std::string> products_of(std::string_view text) {
        std::string list;
        constexpr std::string_view blanks = " |\n";
        while (true) {
            text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
            if (text.empty()) break;
            auto part = text.substr(0, text.find_first_of(blanks));
            text.remove_prefix(part.size());
            int quantity = 1;
            if (const auto star = part.rfind('*'); star != part.npos) {
                const auto digits = part.substr(star + 1);
                const auto read =
                    std::from_chars(digits.data(), digits.data() + digits.size(), quantity);
                if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() ||
                    quantity < 1)
                    return wrong("products: a quantity is a whole number, as in A-1*2");
                part = part.substr(0, star);
            }
            if (part.empty()) return wrong("products: a product has no id");
            list += list.empty() ? "[{" : ",{";
            Members product{list};
            product.text("product_id", part);
            product.raw("quantity", std::to_string(quantity));
            list += '}';
        }
        return list.empty() ? list : list + ']';
    }

    struct Owner {
        std::uint64_t id; ///< Its hash.
        std::uint64_t line;
        char kind;
    };
    const Timestamp now_;
    Who who_;
    std::unordered_map<std::uint64_t, Owner> orders_; ///< By the hash of their id; of this table.
    Column id_, date_, amount_, currency_, status_, coupon_, products_;
};

// Consent ----------------------------------------------------------------------------------------

class ConsentRows final : public ImportRows {
public:
    ConsentRows(const schema::CsvReader& table, const journeys::Settings& settings, Timestamp now)
        : settings_(settings), now_(now), who_(table), channel_(table.column({"channel"})),
          topic_(table.column({"topic"})), state_(table.column({"state", "status"})),
          at_(table.column({"at", "updated_at", "date"})), source_(table.column({"source"})),
          confirmed_(table.column({"confirmed"})) {}

    bool is_complete() const { return who_.has_column() && channel_ && state_ && at_; }

    Result<std::size_t> append(const schema::CsvReader& row, std::string& out) override {
        if (auto read = who_.read(row); !read) return read.error();
        const auto channel = row.cell(channel_);
        if (!settings_.channel(channel))
            return wrong("channel: there is no channel \"" + std::string{channel.substr(0, 40)} +
                         "\" in sojourn.yaml");
        const auto topic = row.cell(topic_);
        if (!topic.empty() && !settings_.topics.empty() &&
            std::ranges::find(settings_.topics, topic) == settings_.topics.end())
            return wrong("topic: there is no topic \"" + std::string{topic.substr(0, 40)} +
                         "\" in sojourn.yaml");
        const auto state = row.cell(state_);
        static constexpr std::array<std::string_view, 4> states{"subscribed", "unsubscribed",
                                                                "pending", "never"};
        if (std::ranges::find(states, state) == states.end())
            return wrong("state is subscribed, unsubscribed, pending or never");
        const auto confirmed = row.cell(confirmed_);
        if (!confirmed.empty() && confirmed != "true" && confirmed != "false")
            return wrong("confirmed is true or false");
        const auto at = time_of(row.cell(at_), "at", now_);
        if (!at) return at.error();
        const auto source = row.cell(source_);

        out += '{';
        Members members{out};
        begin_message(members, "identify", "import-consent-" + hash_of(row), who_, *at);
        members.raw("traits", "{");
        Members traits{out};
        traits.text("email", who_.email);
        traits.text("phone", who_.phone);
        traits.raw("marketing_consent", "{");
        append_json_string(out, channel);
        out += ":{";
        Members word{out};
        word.text("state", state);
        word.text("topic", topic);
        word.text("at", schema::timestamp_text(*at));
        word.text("source", source.empty() ? std::string_view{"import"} : source);
        if (confirmed == "true") word.raw("confirmed", "true");
        out += "}}}},";
        return std::size_t{1};
    }

private:
    const journeys::Settings& settings_;
    const Timestamp now_;
    Who who_;
    Column channel_, topic_, state_, at_, source_, confirmed_;
};

// Suppressions -----------------------------------------------------------------------------------

class SuppressionRows final : public ImportRows {
public:
    SuppressionRows(const schema::CsvReader& table, const journeys::Settings& settings,
                    Timestamp now)
        : settings_(settings), now_(now), who_(table), channel_(table.column({"channel"})),
          address_(table.column({"address"})), reason_(table.column({"reason"})),
          at_(table.column({"at", "created_at", "updated_at", "date"})) {}

    bool is_complete() const { return who_.has_column() && channel_ && at_; }

    Result<std::size_t> append(const schema::CsvReader& row, std::string& out) override {
        suppression_.clear();
        if (auto read = who_.read(row); !read) return read.error();
        const auto* channel = settings_.channel(row.cell(channel_));
        if (!channel)
            return wrong("channel: there is no channel \"" +
                         std::string{row.cell(channel_).substr(0, 40)} + "\" in sojourn.yaml");
        const auto at = time_of(row.cell(at_), "at", now_);
        if (!at) return at.error();
        const auto reason = row.cell(reason_);
        const bool is_bounce = reason == "bounce" || reason == "invalid";
        const bool is_complaint = reason == "complaint" || reason == "spam";
        if (!is_bounce && !is_complaint && !reason.empty() && reason != "unsubscribe" &&
            reason != "stop" && reason != "manual")
            return wrong("reason is bounce, invalid, complaint, spam, unsubscribe, stop or manual");
        const auto address = address_of(row, *channel);
        if (!address) return address.error();
        if (is_bounce && address->empty() && !channel->address.empty() &&
            channel->address != "email" && channel->address != "phone")
            return wrong("which " + channel->address +
                         " bounced? Neither e-mail address nor telephone number tells: give it in "
                         "the column address");

        const std::string kind = channel->address != "phone" ? "Email " : "SMS ";
        out += '{';
        Members members{out};
        begin_message(members, "track", "import-suppression-" + hash_of(row), who_, *at);
        members.text("event", is_bounce      ? kind + "Bounced"
                              : is_complaint ? kind + "Marked as Spam"
                                             : "Unsubscribed");
        members.raw("properties", "{");
        Members properties{out};
        properties.text("channel", channel->name);
        properties.text("source", "import");
        properties.text("reason", reason.empty() || reason == "manual" ? "import" : reason);
        if (is_bounce) properties.text("bounce_type", "hard");
        if (!is_bounce && !is_complaint) properties.raw("stop", "true");
        // Without an address the customer's whole channel is meant.
        if (!address->empty())
            properties.raw("address", std::to_string(static_cast<std::int64_t>(
                                          journeys::address_hash(*channel, *address))));
        out += "}},";
        if (!address->empty() && reason != "unsubscribe") {
            suppression_ = "{";
            Members one{suppression_};
            one.text("kind", channel->address);
            one.text("address", *address);
            one.text("reason", is_bounce          ? "bounce"
                               : is_complaint     ? "complaint"
                               : reason == "stop" ? "stop"
                                                  : "import");
            suppression_ += '}';
        }
        return std::size_t{1};
    }

    std::string_view suppression() const override { return suppression_; }

private:
    /// Empty where the row names none of the channel's kind.
    Result<std::string> address_of(const schema::CsvReader& row,
                                   const journeys::ChannelRules& channel) const {
        if (channel.address.empty()) return std::string{};
        if (const auto own = row.cell(address_); !own.empty()) {
            auto address = journeys::normal_address(channel, own);
            if (address.empty()) return wrong("address is no " + channel.address);
            return address;
        }
        if (channel.address == "email") return who_.email;
        if (channel.address == "phone") return who_.phone;
        return std::string{};
    }

    const journeys::Settings& settings_;
    const Timestamp now_;
    Who who_;
    Column channel_, address_, reason_, at_;
    std::string suppression_;
};

/// Each column is a field, or one of the properties.
class ProductRows final : public ImportRows {
public:
    explicit ProductRows(const schema::CsvReader& table)
        : id_(table.column({"product_id", "id"})) {}
    bool is_complete() const { return id_.has_value(); }

    Result<std::size_t> append(const schema::CsvReader& row, std::string& out) override {
        std::string product = "{";
        for (std::size_t i = 0; i < row.header().size(); ++i) {
            const auto cell = row.cell(i);
            if (cell.empty()) continue; // Not said.
            if (product.size() > 1) product += ',';
            append_json_string(product, row.header()[i]);
            product += ':';
            if (row.header()[i] == "available" && (cell == "true" || cell == "false"))
                product += cell;
            else
                append_json_string(product, cell);
        }
        product += '}';
        const auto checked = schema::products_from_json(product);
        if (!checked) return checked.error();
        if (!checked->refused.empty()) return wrong(checked->refused.front().why);
        out += product + ',';
        return std::size_t{1};
    }

private:
    Column id_;
};

} // namespace

Result<std::unique_ptr<ImportRows>> open_import(std::string_view kind,
                                                const schema::CsvReader& table,
                                                const journeys::Settings& settings, Timestamp now) {
    const auto take = [&](auto rows) -> Result<std::unique_ptr<ImportRows>> {
        if (rows->is_complete()) return std::unique_ptr<ImportRows>{std::move(rows)};
        return wrong("the header lacks a column that must be there\n" +
                     std::string{import_columns(kind)});
    };
    if (kind == "orders") return take(std::make_unique<OrderRows>(table, now));
    if (kind == "consent") return take(std::make_unique<ConsentRows>(table, settings, now));
    if (kind == "suppressions")
        return take(std::make_unique<SuppressionRows>(table, settings, now));
    if (kind == "products") return take(std::make_unique<ProductRows>(table));
    return wrong("orders, consent, suppressions or products");
}

std::string_view import_columns(std::string_view kind) {
    if (kind == "orders")
        return "whose: customer_id (or user_id), anonymous_id, email, phone; one of them, or "
               "several "
               "that are one customer\n"
               "date         of the order, ISO 8601; a day is its first instant in UTC\n"
               "amount       what was paid, 1234.50\n"
               "order_id     optional, of one customer; without one, equal rows are one order\n"
               "currency     optional, ISO 4217\n"
               "status       optional: placed (default), cancelled, refunded\n"
               "coupon       optional\n"
               "products     optional: ids with a quantity where it is not 1, \"A-1*2 B-7\"\n";
    if (kind == "products")
        return "product_id       or id\n"
               "name, category, url, image_url, currency   optional\n"
               "price, compare_at_price   optional, 1234.50\n"
               "stock            optional, a whole number\n"
               "available        optional: true or false\n"
               "updated_at       optional: when the shop says so; what is older changes nothing\n"
               "any other        becomes product(id).properties.NAME\n"
               "An empty cell leaves the field as it is.\n";
    if (kind == "consent")
        return "whose: customer_id (or user_id), anonymous_id, email, phone; one of them, or "
               "several "
               "that are one customer\n"
               "channel      of sojourn.yaml\n"
               "state        subscribed, unsubscribed, pending or never\n"
               "at           since when, ISO 8601; the newest word counts, however often it comes\n"
               "topic        optional, of sojourn.yaml; without one, the whole channel\n"
               "source       optional: where it was said\n"
               "confirmed    optional: true where a double opt-in was confirmed\n";
    return "whose: email or phone, whose address it is; or customer_id, anonymous_id\n"
           "channel      of sojourn.yaml\n"
           "at           since when, ISO 8601\n"
           "reason       optional: bounce, invalid, complaint, spam, unsubscribe, stop, manual\n"
           "address      optional: on a channel whose addresses are neither e-mail nor telephone "
           "(device tokens), the one that is meant\n"
           "An address is suppressed whoever it belongs to, except by unsubscribe, which is that "
           "person's word. A row without an address of the channel's kind suppresses the customer "
           "on that channel, whatever their addresses will be.\n";
}

} // namespace runtime
