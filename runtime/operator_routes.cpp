#include "runtime/operator_routes.hpp"

#include "actors/messages.hpp"
#include "journeys/cel/program.hpp"
#include "journeys/policy.hpp"
#include "runtime/decision_report.hpp"
#include "runtime/foreign_json.hpp"
#include "runtime/journey_report.hpp"
#include "runtime/operator_answers.hpp"
#include "runtime/printable.hpp"
#include "runtime/query_values.hpp"
#include "runtime/walk_list.hpp"
#include "schema/timestamp_text.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <memory>
#include <sstream>

namespace runtime {
namespace {

using Parts = std::shared_ptr<const OperatorRouteParts>;
using actors::ChannelCommand;

constexpr int audit_rows = 200;

void note(const Parts& parts, const Request& request, std::string action, std::string subject,
          std::string detail = {}) {
    boost::asio::post(parts->workers, [parts, entry = AuditEntry{.at = parts->now(),
                                                                 .actor = actor_of(request),
                                                                 .action = std::move(action),
                                                                 .subject = std::move(subject),
                                                                 .detail = std::move(detail)}] {
        (void)parts->audit.add({entry});
    });
}

std::string channel_text(const std::string& name, const actors::ChannelCounts& counts,
                         journeys::Timestamp now) {
    std::string text = name;
    if (counts.paused) text += " · paused";
    if (counts.draining) text += " · draining";
    if (counts.breaker_open) text += " · breaker open";
    if (counts.held_until > now)
        text += " · held by the provider until " + schema::timestamp_text(counts.held_until) +
                "; resume ends that";
    text += "\nqueued " + std::to_string(counts.queued) + " · under way " +
            std::to_string(counts.calling) + " · backing off " +
            std::to_string(counts.backing_off) + " · set aside " + std::to_string(counts.dead) +
            "\naccepted " + std::to_string(counts.accepted) + " · rejected " +
            std::to_string(counts.rejected) + " · unknown " + std::to_string(counts.unknown) +
            " · tried again " + std::to_string(counts.retried) + " · revoked " +
            std::to_string(counts.revoked) + " (since the start)\n";
    if (!counts.last_failure.empty())
        text += "last failure: " + printable(counts.last_failure) + '\n';
    return text;
}

void control_channel(const Parts& parts, const Request& request, const Respond& respond,
                     ChannelCommand command, const char* action) {
    const auto& name = request.arguments.at(0);
    const auto* channel = parts->system.find_channel(name);
    if (!channel) return respond(error_response(404, "no channel " + name));
    const auto told = [parts, respond, name](const actors::ChannelCounts& counts) {
        respond(plain(channel_text(name, counts, parts->now())));
    };
    if (command == ChannelCommand::look)
        return caf::anon_send(*channel, actors::ChannelControl{command, nullptr, told});
    // The process that works would not hear of it.
    if (!parts->system.has_started()) return respond(error_response(503, "this process stands by"));
    note(parts, request, action, "channel " + name);
    boost::asio::post(parts->workers, [parts, respond, name, command, told] {
        if (auto given = parts->orders.give(name, command, told); !given)
            respond(failure_response(given.error(),
                                     name +
                                         (command == ChannelCommand::resume
                                              ? " stays as it is: "
                                              : " has stopped, but only until a restart: ") +
                                         std::string{public_text(given.error())}));
    });
}

void add_suppressions(const Parts& parts, const Request& request, const Respond& respond) {
    // The process that works would go on without them.
    if (!parts->system.has_started()) return respond(error_response(503, "this process stands by"));
    const auto body = parse_json(request.body);
    if (!body.is_array())
        return respond(
            error_response(400, "an array of {channel or kind, address, reason} is expected"));
    const auto catalog = parts->publications.newest();
    std::vector<SuppressedAddress> addresses;
    std::size_t refused = 0;
    for (const auto& item : body) {
        auto kind = text_at(item, "kind");
        if (const auto* channel = catalog->settings().channel(text_at(item, "channel")))
            kind = channel->address;
        const journeys::ChannelRules rules{.name = {}, .type = {}, .address = kind};
        auto address = journeys::normal_address(rules, text_at(item, "address"));
        auto reason = text_at(item, "reason");
        if (kind.empty() || address.empty()) {
            ++refused;
            continue;
        }
        addresses.push_back({std::move(kind), std::move(address),
                             reason.empty() ? "import" : code_text(reason, 32), "import"});
    }
    boost::asio::post(parts->workers,
                      [parts, request, respond, refused, addresses = std::move(addresses)] {
                          if (auto added = parts->suppressions.add(addresses, parts->now()); !added)
                              return answer_error(respond, added.error());
                          note(parts, request, "suppressions.imported", "suppressions",
                               std::to_string(addresses.size()) + " addresses");
                          respond({.body = "{\"taken\":" + std::to_string(addresses.size()) +
                                           ",\"refused\":" + std::to_string(refused) + "}"});
                      });
}

void show_audit(const Parts& parts, const Request& request, const Respond& respond) {
    std::string subject{request.parameter("subject")};
    if (const auto customer = request.parameter("customer"); !customer.empty())
        if (const auto id = journeys::parse_customer_id(customer))
            subject = parts->suppressions.subject(journeys::to_text(*id));
    boost::asio::post(parts->workers, [parts, respond, subject] {
        const auto entries = parts->audit.newest(audit_rows, subject);
        if (!entries) return answer_error(respond, entries.error());
        std::string text;
        for (const auto& entry : *entries)
            text += printable(std::to_string(entry.id) + "  " + schema::timestamp_text(entry.at) +
                              "  " + entry.actor + "  " + entry.action + "  " + entry.subject +
                              (entry.detail.empty() ? "" : "  " + entry.detail) + "  " +
                              entry.hash.substr(0, 16)) +
                    '\n';
        respond(plain(std::move(text)));
    });
}

void verify_audit(const Parts& parts, const Request& request, const Respond& respond) {
    const std::string head{request.parameter("head")};
    if (!head.empty() && !Audit::is_head(head))
        return respond(error_response(400, "head is a hash, or its first 16 digits at least"));
    boost::asio::post(parts->workers, [parts, respond, head] {
        const auto verdict = parts->audit.verify(head);
        if (!verdict) return answer_error(respond, verdict.error());
        const auto [text, is_good] = Audit::told(*verdict, head);
        respond(is_good ? plain(text + '\n') : error_response(409, text));
    });
}

void add_watch(const Parts& parts, JourneyReport& report) {
    const auto states = parts->watches.states();
    const auto watched = std::ranges::find(states, report.journey, &WatchState::journey);
    if (watched == states.end()) return;
    report.watch = journeys::told(watched->watch, watched->day, watched->alarm);
    report.is_alarming = watched->alarm != journeys::Alarm::none;
    if (report.is_alarming) report.watch += "; since " + schema::timestamp_text(watched->since);
}

/// Why events opened no run; of a condition with its line, whichever was the first not to hold.
void add_refusals(const Parts& parts, JourneyReport& report) {
    for (const auto& [reason, count] : parts->refused(report.journey))
        report.not_entered[reason] = static_cast<std::int64_t>(count);
    const auto* journey = parts->publications.newest()->journey(report.journey);
    if (!journey || !report.not_entered.contains("when")) return;
    report.not_entered.erase("when");
    for (const auto& condition : journey->enter.when) {
        const auto& counts = *condition.counts;
        const auto missed =
            counts.evaluated.load() - std::min(counts.met.load(), counts.evaluated.load());
        if (missed == 0) continue;
        report.not_entered["when line " + std::to_string(condition.line) + " \"" +
                           condition.program->text() + '"'] = static_cast<std::int64_t>(missed);
    }
}

/// The body is a table of codes, as `sojourn import coupons` reads it.
void add_coupons(const Parts& parts, const Request& request, const Respond& respond) {
    const auto& pool = request.arguments.at(0);
    boost::asio::post(parts->workers, [parts, request, respond, pool] {
        std::istringstream table{request.body};
        const auto read = schema::read_coupon_codes(table);
        if (!read) return answer_error(respond, read.error());
        const auto added = parts->coupons.add(pool, read->codes);
        if (!added) return answer_error(respond, added.error());
        note(parts, request, "coupons.imported", "pool " + pool, std::to_string(*added) + " codes");
        respond({.body = "{\"added\":" + std::to_string(*added) +
                         ",\"known\":" + std::to_string(std::ssize(read->codes) - *added) +
                         ",\"refused\":" + std::to_string(read->refused.size()) + "}"});
    });
}

void show_coupons(const Parts& parts, const Request& request, const Respond& respond) {
    const bool as_json = !request.parameter("json").empty();
    boost::asio::post(parts->workers, [parts, respond, as_json] {
        auto told = parts->coupons.told(as_json);
        if (!told) return answer_error(respond, told.error());
        if (as_json) return respond({.body = std::move(*told)});
        respond(plain(std::move(*told)));
    });
}

void report(const Parts& parts, const Request& request, const Respond& respond) {
    const auto& journey = request.arguments.at(0);
    const bool as_json = !request.parameter("json").empty();
    boost::asio::post(parts->workers, [parts, respond, journey, as_json] {
        auto made = report_journey(parts->conninfo, journey);
        if (!made) return answer_error(respond, made.error());
        add_watch(parts, *made);
        add_refusals(parts, *made);
        const bool is_known = parts->publications.newest()->journey(journey) != nullptr;
        if (!is_known && made->entered == 0)
            return respond(error_response(404, "no journey " + journey));
        const auto decided = report_decisions(parts->conninfo, journey, parts->now());
        if (!decided) return answer_error(respond, decided.error());
        if (as_json) return respond({.body = report_json(*made, report_json(*decided))});
        respond(plain(report_text(*made) + report_text(*decided)));
    });
}

/// What the shop asked for itself.
void report_asked(const Parts& parts, const Request& request, const Respond& respond) {
    const bool as_json = !request.parameter("json").empty();
    boost::asio::post(parts->workers, [parts, respond, as_json] {
        const auto decided = report_decisions(parts->conninfo, {}, parts->now());
        if (!decided) return answer_error(respond, decided.error());
        if (as_json) return respond({.body = report_json(*decided)});
        respond(plain(decided->empty() ? "nothing was decided yet\n" : report_text(*decided)));
    });
}

std::string entered_text(const WalkDesk::Entering& asked, const WalkDesk::Entered& entered) {
    if (asked.is_dry)
        return std::to_string(entered.inside) + " of " + std::to_string(entered.customers) +
               " customers would be let into " + asked.journey + ": those in " + entered.audience +
               (asked.limit ? ", at most " + std::to_string(*asked.limit) : "") +
               ". Conditions, re-entry and consent come after that.\n";
    return "the audience " + entered.audience + " is let into " + asked.journey +
           (asked.limit ? ", at most " + std::to_string(*asked.limit) : "") + "\n";
}

void enter_audience(const Parts& parts, const Request& request, const Respond& respond) {
    if (!parts->system.has_started()) return respond(error_response(503, "this process stands by"));
    WalkDesk::Entering asked{.journey = request.arguments.at(0),
                             .audience = std::string{request.parameter("audience")},
                             .limit = std::nullopt,
                             .is_dry = !request.parameter("dry_run").empty()};
    const auto limit = limit_of(request);
    if (!limit) return answer_error(respond, limit.error());
    if (*limit) asked.limit = static_cast<std::uint64_t>(**limit);
    boost::asio::post(parts->workers, [parts, request, respond, asked = std::move(asked)] {
        const auto entered = parts->walks.enter(asked);
        if (!entered) return answer_error(respond, entered.error());
        if (!asked.is_dry)
            note(parts, request, "journey.entered", "journey " + asked.journey,
                 "audience " + entered->audience +
                     (asked.limit ? ", at most " + std::to_string(*asked.limit) : ""));
        respond(plain(entered_text(asked, *entered)));
    });
}

void show_walks(const Parts& parts, const Request& request, const Respond& respond) {
    const bool as_json = !request.parameter("json").empty();
    boost::asio::post(parts->workers, [parts, respond, as_json] {
        const auto stands = parts->walks.stands();
        if (!stands) return answer_error(respond, stands.error());
        if (as_json) return respond({.body = walks_json(*stands)});
        respond(plain(walks_text(*stands)));
    });
}

} // namespace

Handlers make_operator_routes(const OperatorRouteParts& given) {
    const auto parts = std::make_shared<const OperatorRouteParts>(given);
    Handlers routes;
    const auto add = [&](const char* method, const char* path, auto handle) {
        routes.push_back({method, path, Scope::admin,
                          [parts, handle](const Request& request, const Respond& respond) {
                              handle(parts, request, respond);
                          }});
    };
    const auto channel = [&](const char* method, const char* path, ChannelCommand command,
                             const char* action) {
        add(method, path,
            [command, action](const Parts& all, const Request& request, const Respond& respond) {
                control_channel(all, request, respond, command, action);
            });
    };
    channel("GET", "/admin/channels/{name}", ChannelCommand::look, nullptr);
    channel("POST", "/admin/channels/{name}/pause", ChannelCommand::pause, "channel.paused");
    channel("POST", "/admin/channels/{name}/resume", ChannelCommand::resume, "channel.resumed");
    channel("POST", "/admin/channels/{name}/drain", ChannelCommand::drain, "channel.drained");
    channel("POST", "/admin/channels/{name}/retry-dead", ChannelCommand::retry_dead,
            "channel.retried_dead");
    add("POST", "/admin/suppressions", add_suppressions);
    add("GET", "/admin/audit", show_audit);
    add("GET", "/admin/audit/verify", verify_audit);
    add("GET", "/admin/report/{journey}", report);
    add("GET", "/admin/report", report_asked);
    add("GET", "/admin/coupons", show_coupons);
    add("POST", "/admin/coupons/{pool}", add_coupons);
    add("POST", "/admin/journeys/{journey}/enter", enter_audience);
    add("GET", "/admin/walks", show_walks);
    return routes;
}

} // namespace runtime
