#include "runtime/routes.hpp"

#include "actors/messages.hpp"
#include "journeys/cel/program.hpp"
#include "journeys/environment.hpp"
#include "journeys/local_time.hpp"
#include "journeys/policy.hpp"
#include "runtime/console.hpp"
#include "runtime/customer_json.hpp"
#include "schema/timeline_json.hpp"

#include <boost/asio/post.hpp>

#include <memory>

namespace runtime {
namespace {

using journeys::Customer;
using journeys::CustomerId;

constexpr int hops_max = 8; ///< Tombstones followed before the search is given up.
constexpr int timeline_rows = 200;
constexpr auto patience = std::chrono::seconds{5};

/// Asks one partition for one customer, tells `done`, and ends.
class Question final : public caf::event_based_actor {
public:
    using Done = std::function<void(std::shared_ptr<const std::string>)>;
    Question(caf::actor_config& config, Done tell)
        : caf::event_based_actor(config), done_(std::move(tell)) {}

protected:
    caf::behavior make_behavior() override {
        return {[this](const actors::CustomerState& state) {
                    done_(state.block);
                    quit();
                },
                caf::after(patience) >>
                    [this] {
                        done_(nullptr);
                        quit();
                    }};
    }

private:
    Done done_;
};

/// The customer behind an id: of several readings of the text the first that is known, behind
/// tombstones.
class Search : public std::enable_shared_from_this<Search> {
public:
    using Done = std::function<void(std::shared_ptr<const Customer>)>;
    Search(actors::System& system, std::string_view text, Done done)
        : system_(system), done_(std::move(done)) {
        using Space = journeys::IdNamespace;
        if (const auto id = journeys::parse_customer_id(text)) candidates_.push_back(*id);
        if (text.find(':') == std::string_view::npos && !text.empty())
            for (const auto space : {Space::anonymous, Space::email, Space::phone, Space::shopify})
                candidates_.push_back({space, std::string{text}});
    }

    void next() {
        if (at_ == candidates_.size()) return done_(nullptr);
        ask(candidates_[at_++], 0);
    }

private:
    void ask(const CustomerId& id, int hops) {
        const auto self = shared_from_this();
        auto question = system_.shard(0).spawn<Question>(
            [self, hops](const std::shared_ptr<const std::string>& block) {
                auto customer = block && !block->empty()
                                    ? journeys::unpack(*block)
                                    : journeys::Result<Customer>{
                                          journeys::Error{journeys::ErrorCode::not_found, ""}};
                if (!customer) return self->next();
                if (customer->forward_to && hops < hops_max)
                    return self->ask(*customer->forward_to, hops + 1);
                self->done_(std::make_shared<const Customer>(std::move(*customer)));
            });
        actors::let_go_of_logger();
        system_.query(id, question);
    }

    actors::System& system_;
    std::vector<CustomerId> candidates_;
    std::size_t at_ = 0;
    Done done_;
};

void search(actors::System& system, std::string_view text, Search::Done done) {
    std::make_shared<Search>(system, text, std::move(done))->next();
}

void answer_storage(const Respond& respond, const journeys::Error& error) {
    respond(error_response(503, error.detail));
}

} // namespace

Handlers make_routes(const RouteParts& given) {
    const auto parts = std::make_shared<const RouteParts>(given);
    Handlers routes;
    const auto with_customer = [parts](const Request& request, const Respond& respond, auto use) {
        search(parts->system, request.arguments.at(0),
               [respond, use](const std::shared_ptr<const Customer>& customer) {
                   if (!customer)
                       respond(error_response(404, "no such customer"));
                   else
                       use(*customer);
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
                         parts->archive.timeline(journeys::to_text(customer.id), timeline_rows);
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
             with_customer(request, respond, [parts, respond, timeline](const Customer& customer) {
                 const auto catalog = parts->publications.newest();
                 const auto now = parts->now();
                 auto text = customer_text(customer, *catalog, now);
                 if (!timeline)
                     return respond(
                         {.body = std::move(text), .content_type = "text/plain; charset=utf-8"});
                 boost::asio::post(parts->workers, [parts, respond, text, now, customer,
                                                    catalog]() mutable {
                     auto stored =
                         parts->archive.timeline(journeys::to_text(customer.id), timeline_rows);
                     if (!stored) return answer_storage(respond, stored.error());
                     const std::string zone{journeys::zone_of(customer, catalog->settings())};
                     text += '\n';
                     for (const auto& row : whole_timeline(std::move(*stored), customer, *catalog))
                         text += timeline_line(row.entry, zone, now) + '\n';
                     respond(
                         {.body = std::move(text), .content_type = "text/plain; charset=utf-8"});
                 });
             });
         }});
    routes.push_back(
        {"GET", "/admin/customers", Scope::admin, [parts](Request request, Respond respond) {
             boost::asio::post(parts->workers, [parts, respond,
                                                text = std::string{request.parameter("search")}] {
                 const auto ids = parts->archive.search(text);
                 if (!ids) return answer_storage(respond, ids.error());
                 std::string body;
                 for (const auto& id : *ids) body += id + '\n';
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
        {"GET", "/admin/rejects", Scope::admin, [parts](Request, Respond respond) {
             boost::asio::post(parts->workers, [parts, respond] {
                 const auto rows = parts->archive.rejects(100);
                 if (!rows) return answer_storage(respond, rows.error());
                 std::string body;
                 for (const auto& row : *rows)
                     body += journeys::to_text(row.at) + "  " + row.source + "  " + row.reason +
                             "  " + row.body + '\n';
                 respond({.body = std::move(body), .content_type = "text/plain; charset=utf-8"});
             });
         }});
    routes.push_back({"POST", "/admin/reload", Scope::admin, [parts](Request, Respond respond) {
                          parts->reload();
                          respond({.status = 202, .body = "{}"});
                      }});
    routes.push_back({"GET", "/v1/journeys", Scope::admin, [parts](Request, Respond respond) {
                          respond({.body = journeys_json(parts->overview())});
                      }});
    routes.push_back({"GET", "/", parts->is_open ? std::nullopt : std::optional{Scope::admin},
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
                      }});
    return routes;
}

} // namespace runtime
