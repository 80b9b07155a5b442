#include "runtime/customer_json.hpp"

#include "journeys/bindings.hpp"
#include "journeys/local_time.hpp"
#include "journeys/policy.hpp"
#include "journeys/profile.hpp"

#include <array>
#include <cstdio>

namespace runtime {
namespace {

using journeys::bindings::bind;

std::string json_of(journeys::cel::Value value) {
    journeys::PackedWriter writer;
    journeys::cel::append_packed(writer, value);
    return journeys::to_json(journeys::PackedView{writer.bytes()});
}

/// 5 h 12 m
std::string span_text(journeys::Duration span) {
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(span).count();
    if (minutes < 60) return std::to_string(minutes) + " m";
    if (minutes < 60 * 48)
        return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " m";
    return std::to_string(minutes / (60 * 24)) + " days";
}

std::string_view step_name(const journeys::Run& run, const journeys::Catalog& catalog) {
    const auto* journey = catalog.version(run.journey, run.version);
    if (!journey || run.step >= journey->steps.size()) return "?";
    return journey->steps[run.step].path;
}

} // namespace

std::string local_text(journeys::Timestamp at, std::string_view zone, journeys::Timestamp now) {
    static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto local = journeys::to_local(zone, at);
    const std::chrono::year_month_day day{local.day};
    char text[48];
    const auto hour = static_cast<int>(local.minutes.count() / 60),
               minute = static_cast<int>(local.minutes.count() % 60);
    const auto distance = at > now ? at - now : now - at;
    if (distance < std::chrono::hours{24 * 6})
        std::snprintf(text, sizeof text, "%s %02d:%02d", days[local.weekday], hour, minute);
    else
        std::snprintf(text, sizeof text, "%u %s %d %02d:%02d", static_cast<unsigned>(day.day()),
                      months[static_cast<unsigned>(day.month()) - 1], static_cast<int>(day.year()),
                      hour, minute);
    return text;
}

std::string customer_json(const journeys::Customer& customer, const journeys::Catalog& catalog,
                          journeys::Timestamp now) {
    journeys::cel::Arena arena;
    const journeys::View view{.customer = &customer, .now = now, .catalog = &catalog};
    std::string out = "{\"customer\":" + json_of(bind(customer, view, arena));
    out += ",\"cart\":" + json_of(bind(journeys::bindings::cart_in_view(view), view, arena));
    out += ",\"session\":" + json_of(bind(customer.session, view, arena));
    out += ",\"orders\":[";
    for (std::size_t i = 0; i < customer.orders.size(); ++i)
        out += (i == 0 ? "" : ",") + json_of(bind(customer.orders[i], view, arena));
    out += "],\"runs\":[";
    for (std::size_t i = 0; i < customer.runs.size(); ++i) {
        const auto& run = customer.runs[i];
        const journeys::View of_run{
            .customer = &customer, .run = &run, .now = now, .catalog = &catalog};
        out += (i == 0 ? "" : ",") + std::string{"{\"journey\":"};
        journeys::append_json_string(out, run.journey);
        out += ",\"version\":\"" + journeys::version_text(run.version) + "\",\"due\":";
        out += run.due == journeys::no_time ? "null" : '"' + journeys::to_text(run.due) + '"';
        out += ",\"run\":" + json_of(bind(run, of_run, arena)) + '}';
        arena.reset();
    }
    return out + "]}";
}

std::string customer_text(const journeys::Customer& customer, const journeys::Catalog& catalog,
                          journeys::Timestamp now) {
    const auto& settings = catalog.settings();
    const auto zone = journeys::zone_of(customer, settings);
    const auto when = [&](journeys::Timestamp at) { return local_text(at, zone, now); };
    std::string out = journeys::display(customer.id) + "  since " + when(customer.first_seen);
    if (!customer.locale.empty()) out += " · " + customer.locale;
    out += " · " + std::string{zone} + " · " + std::to_string(customer.order_count) + " orders, " +
           customer.revenue.to_text() + ' ' + customer.currency + '\n';
    out += "reach   ";
    bool first = true;
    for (const auto& channel : settings.channels) {
        if (channel.address.empty()) continue;
        out += (first ? "" : " · ") + channel.name + ' ' +
               (journeys::is_reachable(customer, channel.name, "", settings) ? "yes" : "no");
        first = false;
    }
    if (const auto* cart = journeys::current_cart(customer))
        out += "      cart " + cart->id + ": " + cart->value().to_text() + ' ' + cart->currency +
               (cart->ordered      ? ", ordered"
                : cart->is_empty() ? ", empty"
                                   : "") +
               ", changed " + when(cart->updated_at);
    out += '\n';
    for (const auto& run : customer.runs) {
        out += "open    " + run.journey + (run.key.empty() ? "" : ' ' + run.key) + " · version " +
               journeys::version_text(run.version) + " · arm " +
               (run.held_out ? "holdout" : "send") + " · at \"" +
               std::string{step_name(run, catalog)} + '"';
        if (run.due != journeys::no_time)
            out += " until " + when(run.due) +
                   (run.due > now ? " (in " + span_text(run.due - now) + ')' : "");
        out += '\n';
    }
    return out;
}

} // namespace runtime
