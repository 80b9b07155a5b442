#include "runtime/customer_json.hpp"

#include "journeys/bindings.hpp"
#include "journeys/local_time.hpp"

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

} // namespace runtime
