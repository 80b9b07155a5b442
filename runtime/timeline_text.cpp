#include "runtime/timeline_text.hpp"

#include "journeys/cel/program.hpp"
#include "journeys/engine.hpp"
#include "journeys/environment.hpp"
#include "journeys/local_time.hpp"
#include "journeys/locale_text.hpp"
#include "journeys/newest_lines.hpp"
#include "journeys/policy.hpp"
#include "journeys/profile.hpp"
#include "runtime/columns.hpp"
#include "runtime/console.hpp"
#include "runtime/customer_json.hpp"
#include "runtime/failure_text.hpp"
#include "runtime/printable.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace runtime {

using journeys::Customer;
using journeys::EntryKind;
using journeys::TimelineEntry;
using journeys::Timestamp;

namespace {

constexpr std::size_t head_width = 8;   ///< `reach   `
constexpr std::size_t time_width = 7;   ///< `18:02  `
constexpr std::size_t verb_width = 10;  ///< `not sent  `
constexpr std::size_t place_width = 28; ///< `cart-abandon › first-touch  `
constexpr std::size_t detail_column = time_width + verb_width + place_width;

/// At least one blank behind it.
std::string column(std::string text, std::size_t width) {
    return width_of(text) < width ? padded(std::move(text), width) : text + ' ';
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
    std::string text;
    for (const auto& part : parts) text += (text.empty() ? "" : std::string{between}) + part;
    return text;
}

constexpr std::array month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array day_names{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::string date_of(Timestamp at, std::string_view zone) {
    const std::chrono::year_month_day day{journeys::to_local(zone, at).day};
    return std::to_string(static_cast<unsigned>(day.day())) + ' ' +
           month_names[static_cast<unsigned>(day.month()) - 1] + ' ' +
           std::to_string(static_cast<int>(day.year()));
}

/// `Sun 1 Mar 2026`
std::string day_of(Timestamp at, std::string_view zone) {
    return std::string{day_names[journeys::to_local(zone, at).weekday]} + ' ' + date_of(at, zone);
}

std::string clock_of(Timestamp at, std::string_view zone, bool with_seconds = false) {
    const auto local = journeys::to_local(zone, at);
    char text[16];
    std::snprintf(text, sizeof text, "%02d:%02d", static_cast<int>(local.minutes.count() / 60),
                  static_cast<int>(local.minutes.count() % 60));
    if (!with_seconds) return text;
    const auto second =
        std::chrono::floor<std::chrono::seconds>(at) - std::chrono::floor<std::chrono::minutes>(at);
    char seconds[8];
    std::snprintf(seconds, sizeof seconds, ":%02d", static_cast<int>(second.count()));
    return std::string{text} + seconds;
}

/// Of an instant in a line of another one: the clock alone where it is the same day.
std::string clock_beside(Timestamp at, Timestamp beside, std::string_view zone) {
    if (journeys::to_local(zone, at).day == journeys::to_local(zone, beside).day)
        return clock_of(at, zone);
    return local_text(at, zone, beside);
}

std::string per_text(journeys::Duration span) {
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(span).count();
    if (hours % 24 == 0) return std::to_string(hours / 24) + (hours == 24 ? " day" : " days");
    return std::to_string(hours) + (hours == 1 ? " hour" : " hours");
}

/// A number that an expression gives; nothing where it is null.
std::optional<double> number(std::string_view expression, const Customer& customer,
                             const journeys::Catalog& catalog, Timestamp now) {
    const auto compiled =
        journeys::cel::compile(expression, journeys::environment(journeys::Scope::entry));
    if (!compiled.program) return std::nullopt;
    journeys::Evaluator evaluator;
    evaluator.look_at({.customer = &customer, .now = now, .catalog = &catalog});
    const auto value = evaluator.value(*compiled.program);
    return value.is_number() ? std::optional{value.as_double()} : std::nullopt;
}

std::string orders_text(const Customer& customer, Timestamp now) {
    if (customer.order_count == 0) return "no orders";
    auto text = std::to_string(customer.order_count) +
                (customer.order_count == 1 ? " order, " : " orders, ") +
                journeys::money_text(customer.revenue, customer.currency, customer.locale);
    if (customer.last_order_at != Timestamp{} && customer.last_order_at <= now)
        text += ", last " + span_text(now - customer.last_order_at) + " ago";
    return text;
}

/// Why a channel may not be used, in words; empty: it may.
std::string why_unreachable(const Customer& customer, const journeys::ChannelRules& channel) {
    if (journeys::address_of(customer, channel).empty()) return "no address";
    for (const auto& one : customer.suppressions)
        if (journeys::is_suppressed(customer, channel) &&
            (one.channel == channel.name || one.address != 0))
            return one.reason.empty() ? "suppressed" : "suppressed: " + one.reason;
    switch (journeys::consent_of(customer, channel.name, "")) {
    case journeys::ConsentState::never: return "never asked";
    case journeys::ConsentState::unsubscribed: return "unsubscribed";
    case journeys::ConsentState::pending: return "not confirmed yet";
    case journeys::ConsentState::subscribed: break;
    }
    return "no consent";
}

std::size_t sent_within(const Customer& customer, const journeys::Cap& cap, Timestamp now) {
    return static_cast<std::size_t>(std::ranges::count_if(customer.sends, [&](const auto& mark) {
        return mark.capped && (cap.channel.empty() || cap.channel == mark.channel) &&
               (cap.topic.empty() || cap.topic == mark.topic) && mark.at > now - cap.per &&
               mark.at <= now;
    }));
}

std::string cap_name(const journeys::Cap& cap) {
    if (cap.channel.empty()) return cap.topic.empty() ? "messages" : cap.topic;
    return cap.topic.empty() ? cap.channel : cap.channel + ' ' + cap.topic;
}

std::string reach_text(const Customer& customer, const journeys::Settings& settings, Timestamp now,
                       const AddressCheck& is_suppressed) {
    std::vector<std::string> parts;
    for (const auto& channel : settings.channels) {
        if (channel.address.empty()) continue;
        if (!journeys::is_reachable(customer, channel.name, "", settings))
            parts.push_back(channel.name + " no (" + why_unreachable(customer, channel) + ')');
        else if (is_suppressed(channel.address, journeys::address_of(customer, channel)))
            parts.push_back(channel.name + " no (suppressed: the address)");
        else
            parts.push_back(channel.name + " yes");
    }
    for (const auto& cap : settings.caps)
        parts.push_back(cap_name(cap) + " in " + per_text(cap.per) + ' ' +
                        std::to_string(sent_within(customer, cap, now)) + " of " +
                        std::to_string(cap.messages));
    return parts.empty() ? "no channel has an address" : joined(parts, " · ");
}

std::string cart_text(const Customer& customer, std::string_view zone, Timestamp now) {
    const auto* cart = journeys::current_cart(customer);
    if (!cart) return {};
    const auto items = std::ranges::count_if(
        cart->lines, [](const journeys::CartLine& line) { return line.quantity > 0; });
    auto text =
        "cart " + cart->id + ": " + std::to_string(items) + (items == 1 ? " item" : " items");
    if (!cart->mixed_currencies && items > 0)
        text += ", " + journeys::money_text(cart->value(), cart->currency, customer.locale);
    if (cart->ordered) text += ", ordered";
    return text + ", changed " + local_text(cart->updated_at, zone, now);
}

std::string_view step_name(const journeys::Run& run, const journeys::Catalog& catalog) {
    const auto* journey = catalog.version(run.journey, run.version);
    if (!journey || run.step >= journey->steps.size()) return "?";
    return journey->steps[run.step].path;
}

std::string_view stands(const journeys::Run& run) {
    switch (run.sending) {
    case journeys::Sending::none: return "waits at";
    case journeys::Sending::deferred: return "holds its message at";
    case journeys::Sending::pending:
    case journeys::Sending::granted:
    case journeys::Sending::revoked: return "sends at";
    }
    return "";
}

bool is_timer(Timestamp due) { return due < journeys::when_published; }

std::string run_text(const journeys::Run& run, const journeys::Catalog& catalog,
                     std::string_view zone, Timestamp now) {
    auto text = run.journey + (run.key.empty() ? "" : ' ' + run.key) + " · version " +
                journeys::version_text(run.version) + " · arm " +
                (run.held_out ? "holdout" : "send") + " · " + std::string{stands(run)} + " \"" +
                std::string{step_name(run, catalog)} + '"';
    const bool has_end =
        run.sending == journeys::Sending::none || run.sending == journeys::Sending::deferred;
    if (has_end && is_timer(run.due)) {
        text += " until " + local_text(run.due, zone, now);
        if (run.due > now) text += " (in " + span_text(run.due - now) + ')';
    }
    return text;
}

/// The timeline of one customer, line by line.
class Timeline {
public:
    Timeline(const std::vector<TimelineRow>& rows, const std::vector<MessageOutcome>& outcomes,
             const Customer& customer, const journeys::Catalog& catalog, Timestamp now)
        : rows_(rows), outcomes_(outcomes), customer_(customer), catalog_(catalog),
          zone_(journeys::zone_of(customer, catalog.settings())), now_(now) {
        std::map<Place, std::string> first;
        for (const auto& row : rows_) {
            const auto [at, is_new] =
                first.try_emplace({row.entry.journey, row.entry.step}, row.entry.key);
            if (!is_new && at->second != row.entry.key) of_several_runs_.insert(at->first);
        }
    }

    std::string text() const {
        std::string out;
        std::string day;
        for (const auto& row : rows_) {
            if (auto today = day_of(row.entry.at, zone_); today != day) {
                out += (day.empty() ? "" : "\n") + today + '\n';
                day = std::move(today);
            }
            out += line(row.entry);
        }
        std::string next;
        for (const auto& run : customer_.runs) next += next_text(run);
        return next.empty() ? out : out + (out.empty() ? "" : "\n") + next;
    }

private:
    std::string line(const TimelineEntry& entry) const {
        auto text = column(clock_of(entry.at, zone_), time_width) +
                    column(std::string{verb(entry)}, verb_width);
        const auto where = printable(place(entry)), what = detail(entry);
        const bool has_place = !where.empty();
        text += has_place ? column(where, place_width) : std::string{};
        if (width_of(text) > detail_column && !what.empty()) text += ' ';
        return wrapped(std::move(text), what, has_place ? detail_column : time_width + verb_width);
    }

    /// A message that the provider has not answered yet is not said to be sent.
    std::string_view verb(const TimelineEntry& entry) const {
        const auto* outcome = outcome_of(entry);
        if (!outcome) return entry_verb(entry.kind);
        if (outcome->state == "pending" || outcome->state == "claimed") return "sending";
        if (outcome->state == "rejected") return "refused";
        return outcome->state == "recalled" ? "recalled" : entry_verb(entry.kind);
    }

    /// Of a send or call; null: it is not known any more.
    const MessageOutcome* outcome_of(const TimelineEntry& entry) const {
        if (entry.kind != EntryKind::send && entry.kind != EntryKind::call) return nullptr;
        const auto found = std::ranges::find(outcomes_, entry.intent, &MessageOutcome::intent);
        return found == outcomes_.end() ? nullptr : &*found;
    }

    std::string place(const TimelineEntry& entry) const {
        switch (entry.kind) {
        case EntryKind::send:
        case EntryKind::call:
        case EntryKind::suppress:
        case EntryKind::defer:
        case EntryKind::settle:
        case EntryKind::wait:
            return entry.journey + " › " + entry.step +
                   (tells_runs_apart(entry) ? ' ' + entry.key : "");
        default: return entry_place(entry);
        }
    }

    /// Whether lines of other runs would look the same without the key.
    bool tells_runs_apart(const TimelineEntry& entry) const {
        return !entry.key.empty() && of_several_runs_.contains({entry.journey, entry.step});
    }

    std::string detail(const TimelineEntry& entry) const {
        switch (entry.kind) {
        case EntryKind::no_entry: {
            const auto* unmet = journeys::unmet_condition(entry, catalog_);
            if (!unmet) return entry_detail(entry);
            auto condition = unmet->program->text();
            std::ranges::replace(condition, '\n', ' ');
            return entry_detail(entry) + ": " + condition;
        }
        case EntryKind::wait: return "until " + until(entry);
        case EntryKind::restart: return entry_detail(entry) + ", now until " + until(entry);
        case EntryKind::defer: return entry.reason + " until " + until(entry);
        case EntryKind::send:
        case EntryKind::call: return sent(entry);
        case EntryKind::suppress:
            return entry.reason == "capped" ? "capped" + why_capped(entry)
                                            : entry.reason + failure_text(entry.data);
        default: break;
        }
        auto text = entry_detail(entry);
        if (entry.until != Timestamp{} && is_timer(entry.until)) text += " until " + until(entry);
        return text;
    }

    std::string until(const TimelineEntry& entry) const {
        return is_timer(entry.until) ? clock_beside(entry.until, entry.at, zone_)
                                     : std::string{"something ends it"};
    }

    /// `email cart-1 · sendgrid accepted 19:47:01 · opened 20:10`
    std::string sent(const TimelineEntry& entry) const {
        auto text = entry.channel;
        if (!entry.template_name.empty()) text += ' ' + entry.template_name;
        if (const auto* outcome = outcome_of(entry)) {
            const auto* rules = catalog_.settings().channel(entry.channel);
            text += " · " + (rules ? rules->type + ' ' : std::string{}) + outcome->state + ' ' +
                    clock_of(outcome->at, zone_, true);
            if (outcome->state != "accepted" && !outcome->detail.empty())
                text += " (" + outcome->detail + ')';
        }
        const auto* step = reported(entry);
        if (!step) return text;
        for (const auto& [word, at] :
             {std::pair{"delivered", step->delivered_at}, std::pair{"opened", step->opened_at},
              std::pair{"clicked", step->clicked_at}})
            if (at != Timestamp{})
                text += std::string{" · "} + word + ' ' + clock_beside(at, entry.at, zone_);
        return text;
    }

    /// What the provider has reported of a message whose run is open; null: nothing is known.
    const journeys::SentStep* reported(const TimelineEntry& entry) const {
        for (const auto& run : customer_.runs)
            for (const auto& step : run.sent)
                if (journeys::intent_id(run.id, step.step) == entry.intent) return &step;
        return nullptr;
    }

    /// `: 3 email in 7 days (Mon newsletter, Fri welcome, Sun cart), free Mon 18:00`
    std::string why_capped(const TimelineEntry& entry) const {
        for (const auto& cap : catalog_.settings().caps) {
            if ((!cap.channel.empty() && cap.channel != entry.channel) ||
                (!cap.topic.empty() && cap.topic != entry.topic))
                continue;
            std::vector<const journeys::SendMark*> counted;
            for (const auto& mark : customer_.sends)
                if (mark.capped && (cap.channel.empty() || cap.channel == mark.channel) &&
                    (cap.topic.empty() || cap.topic == mark.topic) &&
                    mark.at > entry.at - cap.per && mark.at <= entry.at)
                    counted.push_back(&mark);
            if (std::ssize(counted) < cap.messages || cap.messages <= 0) continue;
            std::vector<std::string> names;
            for (const auto* mark : counted)
                names.push_back(
                    std::string{day_names[journeys::to_local(zone_, mark->at).weekday]} + ' ' +
                    journey_of(*mark));
            const auto* leaves = counted[counted.size() - static_cast<std::size_t>(cap.messages)];
            return ": " + std::to_string(counted.size()) + ' ' + cap_name(cap) + " in " +
                   per_text(cap.per) + " (" + joined(names, ", ") + "), free " +
                   local_text(leaves->at + cap.per, zone_, entry.at);
        }
        return {};
    }

    std::string journey_of(const journeys::SendMark& mark) const {
        for (const auto& row : rows_)
            if (row.entry.intent == mark.intent && row.entry.kind == EntryKind::send)
                return row.entry.journey;
        return mark.topic.empty() ? mark.channel : mark.topic;
    }

    /// What a run does when time moves it on, and what would come before that.
    std::string next_text(const journeys::Run& run) const {
        const auto* journey = catalog_.version(run.journey, run.version);
        if (!journey || run.step >= journey->steps.size() || !is_timer(run.due) ||
            run.sending == journeys::Sending::pending || run.sending == journeys::Sending::granted)
            return {};
        auto text =
            column("next", time_width) + column(local_text(run.due, zone_, now_), verb_width);
        const auto begun = printable(run.journey + " › " + what_comes(run, *journey));
        text += column(begun, place_width);
        if (width_of(text) > detail_column) text += ' ';
        return wrapped(std::move(text), unless(*journey), detail_column);
    }

    /// The message that comes next, or the step at which it is decided.
    static std::string what_comes(const journeys::Run& run, const journeys::Journey& journey) {
        const auto& stood = journey.steps[run.step];
        if (std::holds_alternative<journeys::Send>(stood.action)) return stood.path;
        auto at = stood.next;
        if (const auto* wait = std::get_if<journeys::WaitForEvent>(&stood.action))
            at = wait->timeout;
        if (const auto* wait = std::get_if<journeys::WaitForCondition>(&stood.action))
            at = wait->timeout;
        while (at < journey.steps.size() &&
               std::holds_alternative<journeys::Update>(journey.steps[at].action))
            at = journey.steps[at].next;
        return at < journey.steps.size() ? journey.steps[at].path : "end";
    }

    /// `unless Order Completed or cart-emptied comes first`
    static std::string unless(const journeys::Journey& journey) {
        std::vector<std::string> what;
        for (const auto& rule : journey.exits) {
            if (rule.on.empty())
                what.push_back(rule.reason);
            else
                what.insert(what.end(), rule.on.begin(), rule.on.end());
        }
        if (what.empty()) return {};
        return "unless " + joined(what, " or ") + " comes first";
    }

    using Place = std::pair<std::string, std::string>; ///< Journey and step.

    const std::vector<TimelineRow>& rows_;
    const std::vector<MessageOutcome>& outcomes_;
    const Customer& customer_;
    const journeys::Catalog& catalog_;
    const std::string zone_;
    const Timestamp now_;
    std::set<Place> of_several_runs_;
};

} // namespace

std::string span_text(journeys::Duration span) {
    const auto minutes = std::abs(std::chrono::duration_cast<std::chrono::minutes>(span).count());
    if (minutes < 60) return std::to_string(minutes) + " m";
    if (minutes < 60 * 48)
        return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " m";
    return std::to_string(minutes / (60 * 24)) + " days";
}

std::string customer_text(const Customer& customer, const journeys::Catalog& catalog, Timestamp now,
                          const AddressCheck& is_suppressed) {
    const auto& settings = catalog.settings();
    const std::string zone{journeys::zone_of(customer, settings)};
    std::vector<std::string> who;
    if (customer.first_seen != Timestamp{})
        who.push_back("since " + date_of(customer.first_seen, zone));
    if (!customer.locale.empty()) who.push_back(customer.locale);
    who.push_back(zone);
    if (catalog.models()) {
        who.push_back("stage " + std::string{journeys::to_text(customer.lifecycle.stage)});
        if (const auto risk = number("customer.churn_risk", customer, catalog, now)) {
            char text[16];
            std::snprintf(text, sizeof text, "churn %.2f", *risk);
            who.emplace_back(text);
        }
    }
    who.push_back(orders_text(customer, now));
    auto out = wrapped(column(journeys::display(customer.id) + ' ', head_width), joined(who, " · "),
                       head_width);

    const auto reach = printable(reach_text(customer, settings, now, is_suppressed)),
               cart = printable(cart_text(customer, zone, now));
    constexpr std::size_t gap = 6;
    if (!cart.empty() && head_width + width_of(reach) + gap + width_of(cart) <= text_columns)
        out += column("reach", head_width) + reach + std::string(gap, ' ') + cart + '\n';
    else {
        out += wrapped(column("reach", head_width), reach, head_width);
        if (!cart.empty()) out += wrapped(std::string(head_width, ' '), cart, head_width);
    }
    for (const auto& run : customer.runs)
        out += wrapped(column("open", head_width), run_text(run, catalog, zone, now), head_width);
    return out;
}

std::string timeline_text(const std::vector<TimelineRow>& rows,
                          const std::vector<MessageOutcome>& outcomes, const Customer& customer,
                          const journeys::Catalog& catalog, Timestamp now) {
    return Timeline{rows, outcomes, customer, catalog, now}.text();
}

} // namespace runtime
