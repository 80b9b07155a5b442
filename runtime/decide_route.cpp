#include "runtime/decide_route.hpp"

#include "journeys/decision.hpp"
#include "journeys/ids.hpp"
#include "runtime/customer_search.hpp"
#include "runtime/foreign_json.hpp"
#include "schema/record_codec.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <string_view>

namespace runtime {
namespace {

using journeys::Customer;
using journeys::DecisionPolicy;
using Json = nlohmann::ordered_json;
using Parts = std::shared_ptr<const DecideRouteParts>;

constexpr std::size_t text_max = 128; ///< Of an id in the question.
constexpr std::size_t only_max = 64;  ///< Of ids in `actions`.
constexpr std::size_t context_max = 32, context_text_max = 256;

struct Question {
    std::string customer, surface;
    std::vector<std::string> only;
    DecisionPolicy policy = DecisionPolicy::best;
    std::string context;    ///< Packed; empty: none.
    bool is_durable = true; ///< The answer waits for the log.
};

journeys::Error refuse(std::string why) {
    return {journeys::ErrorCode::invalid_argument, std::move(why)};
}

journeys::Result<std::string> text_of(const std::string& name, const nlohmann::json& value,
                                      std::size_t most = text_max) {
    if (value.is_string()) {
        auto text = value.get<std::string>();
        if (!text.empty() && text.size() <= most) return text;
    }
    return refuse(name + " is a text of 1 to " + std::to_string(most) + " bytes");
}

bool is_context_name(std::string_view name) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return !name.empty() && name.size() <= 64 && (is_letter(name[0]) || name[0] == '_') &&
           std::ranges::all_of(
               name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

journeys::Result<std::string> read_context(const nlohmann::json& json) {
    if (!json.is_object() || json.size() > context_max)
        return refuse("context is an object of at most " + std::to_string(context_max) +
                      " members");
    journeys::PackedWriter writer;
    const auto mark = writer.begin_map();
    for (const auto& [name, value] : json.items()) {
        if (!is_context_name(name))
            return refuse("a name in context is letters, digits and _, at most 64 of them, and "
                          "begins with no digit");
        writer.key(name);
        if (value.is_boolean()) {
            writer.boolean(value.get<bool>());
        } else if (value.is_number_integer() && !value.is_number_unsigned()) {
            writer.integer(value.get<std::int64_t>());
        } else if (value.is_number_unsigned() &&
                   value.get<std::uint64_t>() <=
                       static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
            writer.integer(static_cast<std::int64_t>(value.get<std::uint64_t>()));
        } else if (value.is_number() && std::isfinite(value.get<double>())) {
            writer.floating(value.get<double>());
        } else if (value.is_string() &&
                   value.get_ref<const std::string&>().size() <= context_text_max) {
            writer.string(value.get_ref<const std::string&>());
        } else {
            return refuse("a value in context is a number, a boolean, or a text of at most " +
                          std::to_string(context_text_max) + " bytes");
        }
    }
    writer.end_map(mark, json.size());
    return json.empty() ? std::string{} : writer.take();
}

journeys::Result<Question> read(std::string_view body) {
    const auto json = parse_json(body);
    if (!json.is_object()) return refuse("a JSON object with a customer is expected");
    Question question;
    for (const auto& [name, value] : json.items()) {
        if (name == "actions") {
            if (!value.is_array() || value.empty() || value.size() > only_max)
                return refuse("actions is a list of 1 to " + std::to_string(only_max) + " ids");
            for (const auto& id : value) {
                auto text = text_of("each of actions", id);
                if (!text) return text.error();
                question.only.push_back(std::move(*text));
            }
            continue;
        }
        if (name == "context") {
            auto context = read_context(value);
            if (!context) return context.error();
            question.context = std::move(*context);
            continue;
        }
        if (name == "durable") {
            if (!value.is_boolean()) return refuse("durable is true or false");
            question.is_durable = value.get<bool>();
            continue;
        }
        auto text = text_of(name, value, name == "customer" ? 512 : text_max);
        if (name != "customer" && name != "surface" && name != "policy")
            return refuse("unknown member; known are customer, surface, actions, policy, "
                          "context, durable");
        if (!text) return text.error();
        if (name == "customer")
            question.customer = std::move(*text);
        else if (name == "surface")
            question.surface = std::move(*text);
        else if (const auto policy = journeys::parse_policy(*text))
            question.policy = *policy;
        else
            return refuse("policy is best, explore or fixed");
    }
    if (question.customer.empty()) return refuse("customer is missing");
    return question;
}

std::string answer_text(const journeys::Decision& decision, const std::string& id,
                        DecisionPolicy policy, const Customer& customer,
                        const journeys::Catalog& catalog) {
    Json json;
    const auto or_null = [](const auto& value) { return value ? Json(*value) : Json(nullptr); };
    json["action"] = decision.taken ? Json(decision.taken->action.id) : Json(nullptr);
    json["reason"] = decision.choice.reasons;
    json["scores"] = Json::object();
    for (const auto& score : decision.choice.scores) {
        Json one{{"score", score.score}, {"reward", score.reward}, {"chance", score.chance}};
        if (!score.refused.empty()) one["refused"] = score.refused;
        json["scores"][score.id] = std::move(one);
    }
    json["stage"] =
        catalog.models() ? Json(journeys::to_text(customer.lifecycle.stage)) : Json(nullptr);
    json["churn_risk"] = or_null(decision.context.churn_risk);
    json["intent"] = or_null(decision.context.intent);
    json["decision_id"] = id;
    json["policy"] = journeys::to_text(policy);
    json["propensity"] = decision.choice.propensity;
    json["held_out"] = decision.choice.is_held_out;
    const auto& models = catalog.model_set();
    const auto learned = catalog.offers()->learned;
    json["learned"] = learned ? Json(journeys::version_text(learned)) : Json(nullptr);
    json["model"] = models ? Json(journeys::to_hex(0, models->version).substr(16)) : Json(nullptr);
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

journeys::Event event_of(const journeys::Decision& decision,
                         const journeys::DecisionRequest& request, const journeys::Catalog& catalog,
                         const journeys::CustomerId& customer, std::uint64_t message_hash,
                         journeys::Timestamp now) {
    journeys::Event event;
    event.name = std::string{journeys::action_decided};
    event.ids = {customer};
    event.time = event.written = now;
    event.message_hash = message_hash;
    event.properties = journeys::decision_properties(decision, request, catalog);
    return event;
}

void answer(const Parts& parts, const Question& question, const SearchedCustomer& found,
            const Respond& respond) {
    const auto& customer = *found.customer;
    static std::atomic<std::uint64_t> number{0};
    const auto now = parts->now();
    const auto catalog = parts->publications.newest();
    const auto& offers = catalog->offers();
    for (const auto& id : question.only)
        if (std::ranges::none_of(offers->actions,
                                 [&](const auto& offered) { return offered.action.id == id; }))
            return respond(error_response(400, "actions names one that actions.yaml has not"));
    if (!question.surface.empty() &&
        std::ranges::find(offers->actions, question.surface, &journeys::OfferedAction::surface) ==
            offers->actions.end())
        return respond(error_response(400, "no action of actions.yaml is on this surface"));
    const auto customer_id = journeys::to_text(customer.id);
    const auto asked = std::to_string(journeys::to_millis(now)) + '.' + std::to_string(++number);
    const auto low = std::max<std::uint64_t>(journeys::hash(asked, journeys::hash(customer_id)), 1);
    const auto id = journeys::to_hex(journeys::hash(customer_id, low), low);
    const journeys::DecisionRequest request{.policy = question.policy,
                                            .surface = question.surface,
                                            .only = question.only,
                                            .key = id,
                                            .context = question.context,
                                            .is_parked = found.is_parked};
    std::string text;
    auto event = parts->open.take(customer, *catalog, [&](const Customer& as_known) {
        const auto decision = journeys::decide(*offers, as_known, *catalog, now, request);
        text = answer_text(decision, id, question.policy, as_known, *catalog);
        return event_of(decision, request, *catalog, customer.id, low, now);
    });
    actors::Draft draft;
    draft.customer = customer.id;
    draft.kind = journeys::RecordKind::event;
    draft.message_hash = low;
    draft.record = std::make_shared<journeys::Record>();
    draft.record->customer = customer.id;
    draft.record->body = std::move(event);
    draft.bytes = schema::encode(*draft.record);
    std::vector<actors::Draft> drafts;
    drafts.push_back(std::move(draft));
    const bool is_durable = question.is_durable;
    if (!is_durable) respond({.body = std::move(text)});
    parts->log.append(std::move(drafts), [parts, respond, text = std::move(text), low, is_durable,
                                          who = customer.id](const journeys::Result<void>& done) {
        if (done && is_durable) return respond({.body = text});
        if (done) return;
        parts->open.forget(who, low);
        if (is_durable) return respond(failure_response(done.error()));
        parts->lost();
    });
}

} // namespace

Handlers make_decide_route(const DecideRouteParts& given) {
    const auto parts = std::make_shared<const DecideRouteParts>(given);
    return {{"POST", "/v1/decide", Scope::decide, [parts](Request request, Respond respond) {
                 if (!parts->system.has_started())
                     return respond(error_response(503, "this process stands by"));
                 auto question = read(request.body);
                 if (!question) return respond(error_response(400, question.error().detail));
                 // The log would try for seconds, and a page does not wait for them.
                 if (const auto why = parts->not_ready(); question->is_durable && !why.empty())
                     return respond(error_response(503, why));
                 auto id = question->customer;
                 find_customer(
                     parts->system, id, StateAsked::at_hand,
                     [parts, respond, question = std::move(*question)](const FoundCustomer& found) {
                         if (!found || !*found) return respond(answer_without(found));
                         answer(parts, question, *found, respond);
                     });
             }}};
}

} // namespace runtime
