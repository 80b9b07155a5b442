#include "runtime/routes.hpp"

#include "journeys/cel/program.hpp"
#include "journeys/environment.hpp"
#include "journeys/local_time.hpp"
#include "runtime/base64.hpp"
#include "runtime/customer_json.hpp"
#include "runtime/customer_search.hpp"
#include "runtime/operator_answers.hpp"
#include "runtime/printable.hpp"
#include "runtime/query_values.hpp"
#include "runtime/timeline_text.hpp"
#include "schema/timeline_json.hpp"

#include <boost/asio/post.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace runtime {
namespace {

using journeys::Customer;

/// What the query of `/admin/rejects` asks for.
journeys::Result<DeadLetterFilter> dead_letter_filter(const Request& request) {
    DeadLetterFilter filter;
    filter.reason = request.parameter("reason");
    filter.source = request.parameter("source");
    filter.message_id = request.parameter("message");
    filter.customer = request.parameter("customer");
    const auto since = since_of(request);
    if (!since) return since.error();
    filter.since = *since;
    const auto limit = limit_of(request, 10'000);
    if (!limit) return limit.error();
    filter.limit = static_cast<int>(limit->value_or(filter.limit));
    return filter;
}

/// What the query of a timeline asks for.
struct TimelineFilter {
    std::optional<journeys::Timestamp> since;
    int limit = timeline_lines; ///< The newest lines.
};

journeys::Result<TimelineFilter> timeline_filter(const Request& request) {
    const auto since = since_of(request);
    if (!since) return since.error();
    const auto limit = limit_of(request, timeline_lines_max);
    if (!limit) return limit.error();
    return TimelineFilter{*since, static_cast<int>(limit->value_or(timeline_lines))};
}

void leave_out_before(std::optional<journeys::Timestamp> since, std::vector<TimelineRow>& rows) {
    if (since) std::erase_if(rows, [&](const auto& row) { return row.entry.at < *since; });
}

/// Refused with mistakes, which are the caller's to mend, or without: then the environment is at
/// fault.
Response reload_response(const Reload& reload) {
    const auto body = "{\"reload\":" + json_text(reload.said);
    if (!reload.is_refused) return {.body = body + '}'};
    if (reload.mistakes.empty()) return {.status = 503, .body = body + '}'};
    std::string list;
    for (const auto& mistake : reload.mistakes)
        list += (list.empty() ? "" : ",") + json_text(mistake);
    return {.status = 422, .body = body + ",\"mistakes\":[" + list + "]}"};
}

} // namespace

Handlers make_routes(const RouteParts& given) {
    const auto parts = std::make_shared<const RouteParts>(given);
    Handlers routes;
    const auto with_customer = [parts](const Request& request, const Respond& respond, auto use) {
        if (!parts->system.has_started())
            return respond(error_response(503, "this process stands by"));
        find_customer(parts->system, request.arguments.at(0), StateAsked::at_hand,
                      [respond, use](const FoundCustomer& found) {
                          if (!found || !*found)
                              respond(answer_without(found));
                          else
                              use(*found->customer);
                      });
    };

    routes.push_back(
        {"GET", "/v1/customers/{id}", Scope::decide,
         [parts, with_customer](Request request, Respond respond) {
             with_customer(request, respond, [parts, respond](const Customer& customer) {
                 respond({.body = customer_json(customer, *parts->publications.newest(),
                                                parts->now())});
             });
         }});
    routes.push_back(
        {"GET", "/v1/customers/{id}/timeline", Scope::decide,
         [parts, with_customer](Request request, Respond respond) {
             const auto asked = timeline_filter(request);
             if (!asked) return answer_error(respond, asked.error());
             with_customer(
                 request, respond, [parts, respond, asked = *asked](const Customer& customer) {
                     boost::asio::post(parts->workers, [parts, respond, asked, customer] {
                         auto stored =
                             parts->archive.timeline(journeys::to_text(customer.id), asked.limit);
                         if (!stored) return answer_error(respond, stored.error());
                         auto rows = whole_timeline(std::move(*stored), customer,
                                                    *parts->publications.newest());
                         leave_out_before(asked.since, rows);
                         if (std::ssize(rows) > asked.limit) // With those of the state.
                             rows.erase(rows.begin(), rows.end() - asked.limit);
                         std::string body = "{\"timeline\":[";
                         for (std::size_t i = 0; i < rows.size(); ++i)
                             body += (i == 0 ? "" : ",") +
                                     schema::to_json_line(rows[i].customer, rows[i].entry);
                         respond({.body = body + "]}"});
                     });
                 });
         }});
    // For terminals: what `sojourn customer` prints. Only the operator's socket and keys reach it.
    routes.push_back(
        {"GET", "/admin/customers/{id}/text", Scope::admin,
         [parts, with_customer](Request request, Respond respond) {
             const bool timeline = !request.parameter("timeline").empty();
             const int limit =
                 request.parameter("all").empty() ? timeline_lines : timeline_lines_max;
             const auto read = since_of(request);
             if (!read) return answer_error(respond, read.error());
             const auto since = *read;
             with_customer(
                 request, respond,
                 [parts, respond, timeline, limit, since](const Customer& customer) {
                     const auto catalog = parts->publications.newest();
                     const auto now = parts->now();
                     auto text = customer_text(
                         customer, *catalog, now, [&](std::string_view kind, auto address) {
                             return parts->suppressions.contains(kind, address);
                         });
                     if (!timeline)
                         return respond({.body = std::move(text),
                                         .content_type = "text/plain; charset=utf-8"});
                     boost::asio::post(parts->workers, [parts, respond, text, now, customer, limit,
                                                        since, catalog]() mutable {
                         auto stored =
                             parts->archive.timeline(journeys::to_text(customer.id), limit);
                         if (!stored) return answer_error(respond, stored.error());
                         const auto outcomes =
                             parts->archive.outcomes(journeys::to_text(customer.id), limit);
                         if (!outcomes) return answer_error(respond, outcomes.error());
                         auto rows = whole_timeline(std::move(*stored), customer, *catalog);
                         leave_out_before(since, rows);
                         text += '\n' + timeline_text(rows, *outcomes, customer, *catalog, now);
                         respond({.body = std::move(text),
                                  .content_type = "text/plain; charset=utf-8"});
                     });
                 });
         }});
    // All that is known of one, as `sojourn try` goes on with.
    routes.push_back(
        {"GET", "/admin/customers/{id}/state", Scope::admin,
         [parts, with_customer](Request request, Respond respond) {
             with_customer(request, respond, [parts, respond](const Customer& customer) {
                 respond({.body = "{\"now\":" + std::to_string(journeys::to_millis(parts->now())) +
                                  ",\"block\":\"" + to_base64(journeys::pack(customer)) + "\"}"});
             });
         }});
    routes.push_back(
        {"GET", "/admin/customers", Scope::admin, [parts](Request request, Respond respond) {
             boost::asio::post(parts->workers, [parts, respond,
                                                text = std::string{request.parameter("search")}] {
                 const auto ids = parts->archive.search(text);
                 if (!ids) return answer_error(respond, ids.error());
                 std::string body;
                 for (const auto& id : *ids) body += printable(id) + '\n';
                 respond({.body = std::move(body), .content_type = "text/plain; charset=utf-8"});
             });
         }});
    // An expression over one customer, as a step of a journey would see them; there is no run.
    routes.push_back(
        {"POST", "/admin/customers/{id}/eval", Scope::admin,
         [parts, with_customer](Request request, Respond respond) {
             with_customer(
                 request, respond, [parts, respond, text = request.body](const Customer& customer) {
                     const auto compiled = journeys::cel::compile(
                         text, journeys::environment(journeys::Scope::entry));
                     if (!compiled.program) {
                         std::string issues;
                         for (const auto& issue : compiled.issues)
                             issues += std::to_string(issue.line) + ':' +
                                       std::to_string(issue.column) + ": " + issue.message + '\n';
                         return respond(error_response(400, issues));
                     }
                     const auto catalog = parts->publications.newest();
                     journeys::Evaluator evaluator;
                     evaluator.look_at(
                         {.customer = &customer, .now = parts->now(), .catalog = catalog.get()});
                     const auto value = evaluator.value(*compiled.program);
                     if (value.is_error()) return respond(error_response(400, value.error_text()));
                     respond({.body = journeys::cel::to_text(value) + " : " +
                                      journeys::cel::type_name(value) + '\n',
                              .content_type = "text/plain; charset=utf-8"});
                 });
         }});
    routes.push_back(
        {"GET", "/admin/rejects", Scope::admin, [parts](Request request, Respond respond) {
             auto filter = dead_letter_filter(request);
             if (!filter) return answer_error(respond, filter.error());
             const bool as_json = !request.parameter("json").empty();
             const bool counts = !request.parameter("counts").empty();
             boost::asio::post(parts->workers, [parts, respond, as_json, counts,
                                                filter = std::move(*filter)] {
                 auto text = dead_letters_text(parts->dead_letters, filter, counts, as_json);
                 if (!text) return answer_error(respond, text.error());
                 respond({.body = std::move(*text), .content_type = "text/plain; charset=utf-8"});
             });
         }});
    // What `sojourn parked retry` asks, for one customer at a time.
    routes.push_back({"POST", "/admin/parked/{id}/retry", Scope::admin,
                      [parts](Request request, Respond respond) {
                          const auto customer =
                              journeys::parse_customer_id(request.arguments.at(0));
                          if (!customer) return respond(error_response(400, "no customer's id"));
                          parts->system.release(*customer, [respond](const std::string& why_not) {
                              respond({.status = why_not.empty() ? 200 : 409,
                                       .body = why_not,
                                       .content_type = "text/plain; charset=utf-8"});
                          });
                      }});
    routes.push_back({"POST", "/admin/reload", Scope::admin, [parts](Request, Respond respond) {
                          parts->reload(
                              [respond](const Reload& what) { respond(reload_response(what)); });
                      }});
    routes.push_back({"GET", "/v1/journeys", Scope::admin, [parts](Request, Respond respond) {
                          respond({.body = journeys_json(parts->overview())});
                      }});
    routes.push_back({"GET", "/", Scope::admin,
                      [parts](Request, Respond respond) {
                          boost::asio::post(parts->workers, [parts, respond] {
                              auto overview = parts->overview();
                              if (auto triggers = parts->archive.last_triggers(40))
                                  overview.triggers = std::move(*triggers);
                              else
                                  overview.not_ready = triggers.error().detail;
                              respond({.body = overview_html(overview),
                                       .content_type = "text/html; charset=utf-8"});
                          });
                      },
                      parts->is_open});
    return routes;
}

} // namespace runtime
