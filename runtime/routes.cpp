#include "runtime/routes.hpp"

#include "journeys/cel/program.hpp"
#include "journeys/environment.hpp"
#include "journeys/local_time.hpp"
#include "runtime/base64.hpp"
#include "runtime/customer_json.hpp"
#include "runtime/customer_search.hpp"
#include "runtime/printable.hpp"
#include "runtime/timeline_text.hpp"
#include "schema/timeline_json.hpp"
#include "schema/timestamp_text.hpp"

#include <boost/asio/post.hpp>

#include <charconv>
#include <memory>

namespace runtime {
namespace {

using journeys::Customer;

/// What the query of `/admin/rejects` asks for; nothing where it cannot be read.
std::optional<DeadLetterFilter> dead_letter_filter(const Request& request) {
    DeadLetterFilter filter;
    filter.reason = request.parameter("reason");
    filter.source = request.parameter("source");
    filter.message_id = request.parameter("message");
    filter.customer = request.parameter("customer");
    if (const auto since = request.parameter("since"); !since.empty()) {
        filter.since = schema::parse_producer_time(since);
        if (!filter.since) return std::nullopt;
    }
    if (const auto limit = request.parameter("limit"); !limit.empty()) {
        const auto read = std::from_chars(limit.data(), limit.data() + limit.size(), filter.limit);
        if (read.ec != std::errc{} || filter.limit < 1 || filter.limit > 10'000)
            return std::nullopt;
    }
    return filter;
}

void answer_storage(const Respond& respond, const journeys::Error& error) {
    respond(error_response(503, error.detail));
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
             with_customer(request, respond, [parts, respond](const Customer& customer) {
                 boost::asio::post(parts->workers, [parts, respond, customer] {
                     auto stored =
                         parts->archive.timeline(journeys::to_text(customer.id), timeline_lines);
                     if (!stored) return answer_storage(respond, stored.error());
                     const auto rows = whole_timeline(std::move(*stored), customer,
                                                      *parts->publications.newest());
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
             const auto since = schema::parse_producer_time(request.parameter("since"));
             if (!since && !request.parameter("since").empty())
                 return respond(error_response(400, "since is a day or an ISO time"));
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
                         if (!stored) return answer_storage(respond, stored.error());
                         const auto outcomes =
                             parts->archive.outcomes(journeys::to_text(customer.id), limit);
                         if (!outcomes) return answer_storage(respond, outcomes.error());
                         auto rows = whole_timeline(std::move(*stored), customer, *catalog);
                         if (since)
                             std::erase_if(rows, [&](const TimelineRow& row) {
                                 return row.entry.at < *since;
                             });
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
                 if (!ids) return answer_storage(respond, ids.error());
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
             if (!filter)
                 return respond(error_response(400, "since is an ISO time, limit a number"));
             const bool as_json = !request.parameter("json").empty();
             const bool counts = !request.parameter("counts").empty();
             boost::asio::post(parts->workers, [parts, respond, as_json, counts,
                                                filter = std::move(*filter)] {
                 auto text = dead_letters_text(parts->dead_letters, filter, counts, as_json);
                 if (!text) return answer_storage(respond, text.error());
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
                          parts->reload([respond](const std::string& what) {
                              respond({.body = "{\"reload\":" + json_text(what) + "}"});
                          });
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
