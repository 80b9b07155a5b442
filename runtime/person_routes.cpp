#include "runtime/person_routes.hpp"

#include "journeys/packed.hpp"
#include "journeys/policy.hpp"
#include "runtime/customer_search.hpp"
#include "runtime/form_body.hpp"
#include "runtime/preference_page.hpp"
#include "runtime/url_text.hpp"
#include "schema/record_codec.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

namespace runtime {
namespace {

using journeys::Customer;
using Parts = std::shared_ptr<const PersonRouteParts>;

Response html(std::string body, int status = 200) {
    return {.status = status,
            .body = std::move(body),
            .content_type = "text/html; charset=utf-8",
            .headers = {{"Cache-Control", "no-store"},
                        {"Referrer-Policy", "no-referrer"},
                        {"Content-Security-Policy",
                         "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"}}};
}

Response try_again_later() {
    return html(notice_page("Please try again later", "We cannot read your preferences right now."),
                503);
}

Response unknown_link() {
    return html(notice_page("This link does not work",
                            "It may have been cut by a mail programme, or it is very old."),
                404);
}

// Reports.

ReportRequest report_request(const PersonRouteParts& parts, const Request& request) {
    ReportRequest report;
    auto base = parts.public_url;
    if (base.empty()) base = "http://" + std::string{request.header("host")};
    report.url = base + request.path;
    for (std::size_t i = 0; i < request.query.size(); ++i)
        report.url += (i == 0 ? "?" : "&") + percent_encode(request.query[i].first) + '=' +
                      percent_encode(request.query[i].second);
    report.body = request.body;
    report.headers = request.headers;
    report.query = request.query;
    report.now = parts.wall_clock();
    return report;
}

void take_report(const Parts& parts, const Request& request, const Respond& respond) {
    const auto& channel = request.arguments.at(0);
    const auto provider = parts->providers.find(channel);
    if (provider == parts->providers.end())
        return respond(error_response(404, "no channel of this name takes reports"));
    auto reports = provider->second->feedback(report_request(*parts, request));
    if (!reports) return respond(failure_response(reports.error()));
    boost::asio::post(parts->workers, [parts, respond, channel,
                                       reports = std::make_shared<Reports>(std::move(*reports))] {
        parts->desk.take(
            channel, std::move(reports->reports),
            [parts, respond, channel, reports](const journeys::Result<ReportDesk::Taken>& taken) {
                if (!taken) return respond(failure_response(taken.error()));
                if (taken->nobodys > 0)
                    parts->notes.info("reports of nobody that is known",
                                      {{"channel", channel}, {"reports", taken->nobodys}});
                respond({.body = reports->answer, .content_type = reports->answer_type});
            });
    });
}

// Links.

/// A message and its customer, for one request.
struct Visit {
    LinkToken token;
    LedgerRow row;
    std::shared_ptr<const Customer> customer;
};

void with_visit(const Parts& parts, const Request& request, const Respond& respond,
                StateAsked state, std::function<void(const Visit&)> use) {
    const auto token = parts->links.read(request.arguments.at(0));
    if (!token) return respond(unknown_link());
    boost::asio::post(
        parts->workers, [parts, respond, state, token = *token, use = std::move(use)] {
            const auto rows = parts->ledger.find({token.intent});
            if (!rows) return respond(try_again_later());
            const auto row = rows->find(token.intent);
            if (row == rows->end()) return respond(unknown_link());
            find_customer(parts->system, journeys::to_text(row->second.customer), state,
                          [respond, use, token, row = row->second](const FoundCustomer& found) {
                              if (!found) return respond(try_again_later());
                              if (!*found) return respond(unknown_link());
                              use({token, row, found->customer});
                          });
        });
}

/// An event of the person's own doing; `number` tells several of one request apart.
journeys::Event own_event(const Visit& visit, std::string name, journeys::Timestamp at,
                          std::uint64_t number) {
    journeys::Event event;
    event.name = std::move(name);
    event.ids = {visit.customer->id};
    event.time = event.written = at;
    event.message_hash = std::max<std::uint64_t>(
        journeys::hash(journeys::to_text(visit.token.intent),
                       static_cast<std::uint64_t>(journeys::to_millis(at)) * 64 + number),
        1);
    return event;
}

journeys::Event choice_event(const Visit& visit, const std::string& topic, bool wanted,
                             std::string_view source, journeys::Timestamp at,
                             std::uint64_t number) {
    auto event = own_event(visit, wanted ? "Resubscribed" : "Unsubscribed", at, number);
    journeys::PackedWriter writer;
    const auto mark = writer.begin_map();
    const auto text = [&](std::string_view key, std::string_view value) {
        writer.key(key);
        writer.string(value);
    };
    text("channel", visit.row.channel);
    text("topic", topic);
    text("intent", journeys::to_text(visit.token.intent));
    text("source", source);
    writer.end_map(mark, 4);
    event.properties = writer.take();
    return event;
}

/// An identify with what `write` puts into the list of the channel's consents; it answers how many
/// these are.
template <class Write>
journeys::Event consent_event(const Visit& visit, journeys::Timestamp at, int number, Write write) {
    auto event = own_event(visit, "Identify", at, number);
    event.type = journeys::EventType::identify;
    journeys::PackedWriter writer;
    const auto traits = writer.begin_map();
    writer.key("marketing_consent");
    const auto consents = writer.begin_map();
    writer.key(visit.row.channel);
    const auto list = writer.begin_list();
    writer.end_list(list, write(writer));
    writer.end_map(consents, 1);
    writer.end_map(traits, 1);
    event.traits = writer.take();
    return event;
}

/// Takes back the no to the whole channel, which would outweigh every topic's yes, and leaves it
/// for whatever is not named. Not a yes to the channel: nobody has said that.
journeys::Event reopening(const Visit& visit, journeys::Timestamp at) {
    return consent_event(visit, at, 62, [](journeys::PackedWriter& writer) -> std::size_t {
        const auto word = [&](std::string_view topic, std::string_view state) {
            const auto one = writer.begin_map();
            writer.key("state");
            writer.string(state);
            writer.key("topic");
            writer.string(topic);
            writer.key("source");
            writer.string("preference page");
            writer.end_map(one, 3);
        };
        word(journeys::other_topics, "unsubscribed");
        word("", "never");
        return 2;
    });
}

bool has_left_channel(const Customer& customer, const std::string& channel) {
    return std::ranges::any_of(customer.consents, [&](const journeys::Consent& consent) {
        return consent.channel == channel && consent.topic.empty() &&
               consent.state == journeys::ConsentState::unsubscribed;
    });
}

/// What waits for the confirmation: of the message's topic, and of the channel as a whole.
bool waits_for_confirmation(const Visit& visit, const journeys::Consent& consent) {
    return consent.channel == visit.row.channel &&
           consent.state == journeys::ConsentState::pending &&
           (consent.topic.empty() || consent.topic == visit.row.topic);
}

journeys::Event confirmation(const Visit& visit, journeys::Timestamp at) {
    return consent_event(visit, at, 63, [&](journeys::PackedWriter& writer) {
        std::size_t count = 0;
        for (const auto& consent : visit.customer->consents) {
            if (!waits_for_confirmation(visit, consent)) continue;
            const auto one = writer.begin_map();
            writer.key("state");
            writer.string("subscribed");
            writer.key("confirmed");
            writer.boolean(true);
            writer.key("topic");
            writer.string(consent.topic);
            writer.key("source");
            writer.string("double opt-in");
            writer.key("text_version");
            writer.string(consent.text_version);
            writer.end_map(one, 5);
            ++count;
        }
        return count;
    });
}

void append(const Parts& parts, const Respond& respond, std::vector<journeys::Event> events,
            std::string answer) {
    std::vector<actors::Draft> drafts;
    for (auto& event : events) {
        actors::Draft draft;
        draft.customer = event.ids.front();
        draft.kind = journeys::RecordKind::event;
        draft.message_hash = event.message_hash;
        draft.record = std::make_shared<journeys::Record>();
        draft.record->customer = draft.customer;
        draft.record->body = std::move(event);
        draft.bytes = schema::encode(*draft.record);
        drafts.push_back(std::move(draft));
    }
    if (drafts.empty()) return respond(html(std::move(answer)));
    parts->log.append(std::move(drafts), [respond, answer = std::move(answer)](
                                             const journeys::Result<void>& done) {
        if (done) return respond(html(answer));
        respond(html(notice_page("Please try again", "Your choice could not be saved."), 503));
    });
}

/// A page where there is nothing to confirm: it was done before, or there is nothing to do.
std::optional<std::string> nothing_to_confirm(const Visit& visit) {
    if (std::ranges::any_of(visit.customer->consents, [&](const auto& consent) {
            return waits_for_confirmation(visit, consent);
        }))
        return std::nullopt;
    if (journeys::consent_of(*visit.customer, visit.row.channel, visit.row.topic) ==
        journeys::ConsentState::subscribed)
        return confirm_page(visit.row.topic, true);
    return notice_page("There is nothing to confirm",
                       "You have not subscribed, or have unsubscribed since. Nothing was changed.");
}

void show(const Parts& parts, const Visit& visit, const Respond& respond) {
    if (visit.token.action == LinkAction::confirm)
        return respond(
            html(nothing_to_confirm(visit).value_or(confirm_page(visit.row.topic, false))));
    const auto catalog = parts->publications.newest();
    const auto choices =
        topic_choices(*visit.customer, catalog->settings(), visit.row.channel, visit.row.topic);
    respond(html(preference_page(
        choices, visit.row.channel,
        visit.token.action == LinkAction::unsubscribe ? visit.row.topic : "", false)));
}

/// What a mail programme (RFC 8058) or the form of the page has posted.
class Form {
public:
    explicit Form(const Request& request) : fields_(form_fields(request)) {}

    bool has(std::string_view name, std::string_view value) const {
        return std::ranges::any_of(fields_, [&](const auto& field) {
            return field.first == name && field.second == value;
        });
    }
    bool is_one_click() const { return has("List-Unsubscribe", "One-Click"); }
    bool leaves_topic() const { return is_one_click() || has("stop", "1"); }
    bool leaves_channel() const { return has("all", "none"); }

    /// A no is one whatever was chosen before; anything else changes what was chosen, which may
    /// have been a moment ago.
    StateAsked needs() const {
        return leaves_topic() || leaves_channel() ? StateAsked::at_hand : StateAsked::acknowledged;
    }

private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

void decide(const Parts& parts, const Visit& visit, const Form& form, const Respond& respond) {
    const auto at = parts->now();
    if (visit.token.action == LinkAction::confirm) {
        if (auto page = nothing_to_confirm(visit)) return respond(html(std::move(*page)));
        if (!form.has("confirm", "1")) return respond(html(confirm_page(visit.row.topic, false)));
        return append(parts, respond, {confirmation(visit, at)},
                      confirm_page(visit.row.topic, true));
    }
    if (form.leaves_topic())
        return append(
            parts, respond,
            {choice_event(visit, visit.row.topic, false,
                          form.is_one_click() ? "one click" : "unsubscribe page", at, 0)},
            notice_page("You are unsubscribed", "We will not write to you about this any more."));
    if (form.leaves_channel())
        return append(parts, respond, {choice_event(visit, "", false, "unsubscribe page", at, 0)},
                      notice_page("You are unsubscribed", "We will not write to you any more."));
    const auto catalog = parts->publications.newest();
    auto choices =
        topic_choices(*visit.customer, catalog->settings(), visit.row.channel, visit.row.topic);
    // Whatever else was posted is nobody's decision: neither a mail programme's nor the page's.
    if (!form.has("save", "1"))
        return respond(html(preference_page(choices, visit.row.channel, "", false), 400));
    std::vector<journeys::Event> events;
    std::uint64_t number = 0;
    // The channel's own no outweighs a topic's yes. Who wants a topic again wants the channel
    // again, and for that only, so every other topic is said no to by name.
    const auto wants = [&](const TopicChoice& choice) { return form.has("topic", choice.topic); };
    const bool reopens =
        std::ranges::any_of(choices, wants) && has_left_channel(*visit.customer, visit.row.channel);
    const bool wants_the_rest = std::ranges::any_of(
        choices, [&](const TopicChoice& choice) { return choice.topic.empty() && wants(choice); });
    if (reopens && !wants_the_rest) events.push_back(reopening(visit, at));
    for (auto& choice : choices) {
        const bool wanted = wants(choice);
        if (!reopens && (wanted == choice.is_wanted || (wanted && choice.is_pending))) continue;
        events.push_back(
            choice_event(visit, choice.topic, wanted, "preference page", at, ++number));
        choice.is_wanted = wanted;
    }
    append(parts, respond, std::move(events),
           preference_page(choices, visit.row.channel, "", true));
}

} // namespace

Handlers make_person_routes(const PersonRouteParts& given) {
    const auto parts = std::make_shared<const PersonRouteParts>(given);
    Handlers routes;
    routes.push_back({"POST", "/v1/feedback/{channel}", std::nullopt,
                      [parts](const Request& request, const Respond& respond) {
                          take_report(parts, request, respond);
                      }});
    routes.push_back(
        {"GET", "/u/{token}", std::nullopt,
         [parts](const Request& request, const Respond& respond) {
             with_visit(parts, request, respond, StateAsked::acknowledged,
                        [parts, respond](const Visit& visit) { show(parts, visit, respond); });
         }});
    routes.push_back({"POST", "/u/{token}", std::nullopt,
                      [parts](const Request& request, const Respond& respond) {
                          const Form form{request};
                          with_visit(parts, request, respond, form.needs(),
                                     [parts, respond, form](const Visit& visit) {
                                         decide(parts, visit, form, respond);
                                     });
                      }});
    return routes;
}

} // namespace runtime
