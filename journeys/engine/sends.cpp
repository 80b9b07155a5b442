#include "journeys/engine/turn.hpp"

#include "journeys/best_hour.hpp"
#include "journeys/coupons.hpp"
#include "journeys/feedback.hpp"
#include "journeys/links.hpp"
#include "journeys/payload.hpp"
#include "journeys/policy.hpp"
#include "journeys/profile.hpp"
#include "journeys/template.hpp"

#include <algorithm>

namespace journeys::engine {
namespace {

/// A send later than this through our fault keeps its distance from the one before it.
constexpr auto late_send = std::chrono::hours{1};

const Send& send_of(const Step& step) { return std::get<Send>(step.action); }

bool cart_is_stale(const Customer& customer, const Run& run) {
    if (run.cart_id.empty()) return false;
    const auto* cart = find_cart(customer, run.cart_id);
    return !cart || cart->ordered || cart->is_empty();
}

TimelineEntry with_send(TimelineEntry line, const Step& step) {
    const auto& send = send_of(step);
    line.step = step.path;
    line.channel = send.channel;
    line.template_name = send.template_name;
    line.topic = send.topic;
    return line;
}

/// The data of a template, and the marks of the links that every message has.
std::string with_links(const std::string& data) {
    return merge_maps(PackedView{data},
                      PackedView{packed_texts({{"unsubscribe_url", links::unsubscribe},
                                               {"preferences_url", links::preferences},
                                               {"confirm_url", links::confirm}})});
}

/// Why an expression has no value, as a timeline keeps it. `name`: of the data, if it is that.
std::string failure_of(const Expression& expression, std::string_view name,
                       std::string_view error) {
    PackedWriter writer;
    const auto map = writer.begin_map();
    writer.key("error");
    writer.string(error);
    writer.key("expression");
    writer.string(expression.program->text());
    writer.key("line");
    writer.integer(expression.line);
    if (!name.empty()) {
        writer.key("name");
        writer.string(name);
    }
    writer.end_map(map, name.empty() ? 3 : 4);
    return writer.take();
}

/// What the run was given of the pool; null: nothing yet.
const RunCoupon* coupon_of(const Run& run, std::string_view pool) {
    const auto had = std::ranges::find(run.coupons, pool, &RunCoupon::pool);
    return had == run.coupons.end() ? nullptr : &*had;
}

/// Until when the run's message must wait so that it does not follow the one before it too closely,
/// because that one left late.
Timestamp spaced(const Run& run, Timestamp now) {
    if (run.sent.empty() || now - run.step_reached <= late_send) return now;
    const auto& before = run.sent.back();
    return std::max(now, before.at + (run.step_reached - before.scheduled));
}

} // namespace

/// Everything that must hold, in the order in which reasons are named; the holdout last of all, so
/// that both arms of the comparison went through the same conditions.
Permission Turn::may_send(const Run& run, const Journey& journey, const Step& step) {
    const auto& send = send_of(step);
    const bool looks = !send.is_checked_late || run.sending == Sending::pending;
    if (looks && send.when) {
        const auto result = value(*send.when, &run);
        if (result.is_error()) failure_ = failure_of(*send.when, {}, result.error_text());
        if (!result.is_true()) return Suppressed{Reason::condition};
        send.when->counts->met.fetch_add(1, std::memory_order_relaxed);
    }
    const auto id = intent_id(run.id, step.path);
    auto answer = permission(customer, send, id, now, catalog.settings(), journey.priority);
    if (std::holds_alternative<Suppressed>(answer)) return answer;
    if (!send.is_call && cart_is_stale(customer, run)) return Suppressed{Reason::stale_cart};
    if (now >= run.expires_at) return Suppressed{Reason::expired};
    if (const auto until = spaced(run, now); until > now) {
        const auto* deferred = std::get_if<Deferred>(&answer);
        if (!deferred || deferred->until < until) answer = Deferred{Reason::capped, until};
    }
    if (const auto* deferred = std::get_if<Deferred>(&answer)) {
        if (deferred->until >= run.expires_at) return Suppressed{deferred->reason};
        return answer;
    }
    if (send.at_best_hour) {
        // Reckoned from where the step began, so that the wait is a day at the most.
        const auto until =
            best_hour(customer, send, id, run.step_reached, run.expires_at, catalog.settings());
        if (until && *until > now) return Deferred{Reason::best_hour, *until};
    }
    if (status_of(journey) == Status::draft) return Suppressed{Reason::draft};
    if (run.held_out && !send.is_call) return Suppressed{Reason::holdout};
    return Allowed{};
}

void Turn::suppress(const Run& run, const Journey& journey, const Step& step, Reason reason) {
    auto line = with_send(entry(EntryKind::suppress, run), step);
    line.intent = intent_id(run.id, step.path);
    line.reason = to_text(reason);
    line.data = std::exchange(failure_, {});
    say(std::move(line));
    if (reason == Reason::holdout) watch_goals(run, journey, now);
    if (send_of(step).is_call) return; // It is no message.
    announce("Message Suppressed", packed_texts({{"journey", run.journey},
                                                 {"step", step.path},
                                                 {"channel", send_of(step).channel},
                                                 {"reason", to_text(reason)}}));
}

void Turn::defer(Run& run, const Step& step, const Deferred& deferred) {
    run.sending = Sending::deferred;
    run.due = deferred.until;
    auto line = with_send(entry(EntryKind::defer, run), step);
    line.reason = to_text(deferred.reason);
    line.until = deferred.until;
    say(std::move(line));
}

bool Turn::reach_send(Run& run, const Journey& journey, const Step& step) {
    const auto& send = send_of(step);
    run.intent = intent_id(run.id, step.path);
    if (run.expires_at == no_time) run.expires_at = now + send.expires;
    const auto answer = may_send(run, journey, step);
    if (const auto* suppressed = std::get_if<Suppressed>(&answer)) {
        run.sending = Sending::none;
        suppress(run, journey, step, suppressed->reason);
        return true;
    }
    if (const auto* deferred = std::get_if<Deferred>(&answer)) {
        defer(run, step, *deferred);
        return false;
    }
    run.sending = Sending::pending;
    run.due = run.expires_at;
    IntentOpened opened;
    opened.id = run.intent;
    opened.journey = run.journey;
    opened.version = run.version;
    opened.key = run.key;
    opened.step = step.path;
    opened.channel = send.channel;
    opened.template_name = send.template_name;
    opened.topic = send.topic;
    opened.priority = journey.priority;
    opened.delivery = send.delivery;
    opened.at = now;
    opened.expires_at = run.expires_at;
    effects.emplace_back(std::move(opened));
    return false;
}

void Turn::recall(Run& run, Reason reason) {
    const auto was = std::exchange(run.sending, Sending::none);
    if (was == Sending::none) return;
    const auto* journey = journey_of(run);
    if (was != Sending::deferred)
        effects.emplace_back(IntentRecalled{run.intent, std::string{to_text(reason)}});
    // Of a granted one the channel knows whether it was in time; its word settles it.
    if (was == Sending::granted || was == Sending::revoked || !journey ||
        run.step >= journey->steps.size())
        return;
    const auto& step = journey->steps[run.step];
    if (std::holds_alternative<Send>(step.action)) suppress(run, *journey, step, reason);
}

HandOver Turn::hand_over(IntentId intent) {
    const auto waiting = std::ranges::find_if(customer.runs, [&](const Run& run) {
        return run.intent == intent && run.sending == Sending::pending;
    });
    if (waiting == customer.runs.end()) return {HandOver::Verdict::gone};
    const auto id = waiting->id;
    ++customer.revision;
    entries_left_ = entries_per_event;
    cause_ = intent.low;
    const auto finish = [&](HandOver::Verdict verdict) {
        meet_what_was_made();
        return HandOver{verdict};
    };
    if (meet_timeless_exits(id)) return finish(HandOver::Verdict::suppress);

    auto& run = *find(id);
    const auto* journey = journey_of(run);
    if (!journey || run.step >= journey->steps.size()) {
        end_run(id, Ending::end, "error");
        return finish(HandOver::Verdict::suppress);
    }
    const auto& step = journey->steps[run.step];
    const auto& send = send_of(step);
    const auto leave_out = [&](Reason reason) {
        effects.emplace_back(IntentRecalled{intent, std::string{to_text(reason)}});
        run.sending = Sending::none;
        suppress(run, *journey, step, reason);
        go_on(id, step.next, run.base);
        return finish(HandOver::Verdict::suppress);
    };
    if (is_held(run)) {
        effects.emplace_back(IntentRecalled{intent, std::string{to_text(Reason::paused)}});
        defer(run, step, {Reason::paused, now});
        return finish(HandOver::Verdict::defer);
    }
    auto answer = may_send(run, *journey, step);
    // Last of all, so that none is given to whom nothing is sent.
    if (std::holds_alternative<Allowed>(answer)) answer = give_coupon(run, send);
    if (const auto* suppressed = std::get_if<Suppressed>(&answer))
        return leave_out(suppressed->reason);
    if (const auto* deferred = std::get_if<Deferred>(&answer)) {
        effects.emplace_back(IntentRecalled{intent, std::string{to_text(deferred->reason)}});
        defer(run, step, *deferred);
        return finish(HandOver::Verdict::defer);
    }
    if (run.frozen_data.empty()) {
        auto data = evaluate_data(run, send);
        if (!data) return leave_out(Reason::render_failed);
        run.frozen_data = std::move(*data);
    }
    const auto* rules = catalog.settings().channel(send.channel);
    Payload payload{.intent = intent,
                    .customer = customer,
                    .run = run,
                    .step = step,
                    .send = send,
                    .data = PackedView{run.frozen_data},
                    .at = now};
    if (rules && rules->renders) {
        if (const auto* text = catalog.find_template(send.template_name, customer.locale)) {
            auto rendered = text->render(PackedView{with_links(run.frozen_data)}, customer.locale);
            if (!rendered) {
                failure_ = packed_texts(
                    {{"template", send.template_name}, {"error", rendered.error().detail}});
                return leave_out(Reason::render_failed);
            }
            payload.rendered = std::move(*rendered);
        }
    }
    run.sending = Sending::granted;
    run.due = no_time;
    run.last_hand_over = now;
    run.sent.push_back({.step = step.path,
                        .scheduled = run.step_reached,
                        .at = now,
                        .state = IntentState::unknown});
    if (!send.is_call)
        spend(customer,
              {now, send.channel, send.topic, intent, send.purpose == Purpose::marketing});
    auto line = with_send(entry(send.is_call ? EntryKind::call : EntryKind::send, run), step);
    line.intent = intent;
    line.data = run.frozen_data;
    say(std::move(line));
    effects.emplace_back(IntentGranted{intent, rules ? address_of(customer, *rules) : std::string{},
                                       to_json(payload), now});
    if (!send.is_call) watch_goals(run, *journey, now);
    return finish(HandOver::Verdict::grant);
}

Permission Turn::give_coupon(Run& run, const Send& send) {
    if (send.coupon.empty()) return Allowed{};
    if (const auto* had = coupon_of(run, send.coupon)) {
        if (had->expires_at > now) return Allowed{};
        return Suppressed{Reason::no_coupon};
    }
    auto answer =
        catalog.coupons() ? catalog.coupons()->take(send.coupon, run.id, now) : CouponAnswer{};
    switch (answer.kind) {
    case CouponAnswer::Kind::empty: return Suppressed{Reason::no_coupon};
    case CouponAnswer::Kind::not_now: {
        const auto until = now + coupon_patience;
        if (until >= run.expires_at) return Suppressed{Reason::no_coupon};
        return Deferred{Reason::no_coupon, until};
    }
    case CouponAnswer::Kind::code: break;
    }
    effects.emplace_back(
        CouponTaken{send.coupon, answer.code, run.id, run.intent, answer.lease, now});
    run.coupons.push_back({send.coupon, std::move(answer.code), answer.expires_at});
    return Allowed{};
}

std::optional<std::string> Turn::evaluate_data(const Run& run, const Send& send) {
    coupon_ = coupon_of(run, send.coupon);
    PackedWriter writer;
    const auto mark = writer.begin_map();
    for (const auto& [name, expression] : send.data) {
        const auto result = value(expression, &run);
        if (result.is_error()) {
            coupon_ = nullptr;
            failure_ = failure_of(expression, name, result.error_text());
            return std::nullopt;
        }
        writer.key(name);
        cel::append_packed(writer, result);
    }
    coupon_ = nullptr;
    writer.end_map(mark, send.data.size());
    return writer.take();
}

void Turn::settle(const Settled& settled) {
    effects.emplace_back(IntentSettled{settled.intent, settled.state, settled.detail, received_at});
    const bool spent =
        settled.state == IntentState::accepted || settled.state == IntentState::unknown;
    if (!spent)
        std::erase_if(customer.sends,
                      [&](const SendMark& mark) { return mark.intent == settled.intent; });

    const auto waiting = std::ranges::find_if(customer.runs, [&](const Run& run) {
        return run.intent == settled.intent &&
               (run.sending == Sending::granted || run.sending == Sending::revoked);
    });
    if (waiting == customer.runs.end()) return;
    auto& run = *waiting;
    const bool was_revoked = std::exchange(run.sending, Sending::none) == Sending::revoked;
    run.frozen_data.clear();
    if (!run.sent.empty()) run.sent.back().state = settled.state;
    if (!spent)
        std::erase_if(customer.goals, [&](const GoalWatch& watch) {
            return watch.run == run.id && watch.from == run.last_hand_over;
        });
    const auto* journey = journey_of(run);
    if (!journey || run.step >= journey->steps.size()) return end_run(run.id, Ending::end, "error");
    const auto& step = journey->steps[run.step];
    switch (settled.state) {
    case IntentState::rejected:
        // The address was found in the service's own list, at the last moment.
        suppress(run, *journey, step,
                 settled.detail == "suppressed" ? Reason::suppressed : Reason::provider_rejected);
        break;
    case IntentState::unknown: suppress(run, *journey, step, Reason::provider_unknown); break;
    case IntentState::recalled: {
        const auto withdrawn =
            was_revoked ? refusal(customer, send_of(step), catalog.settings()) : std::nullopt;
        suppress(run, *journey, step, withdrawn.value_or(Reason::expired));
        break;
    }
    case IntentState::accepted:
        if (!send_of(step).is_call) // Which is no message.
            announce("Message Sent", packed_texts({{"journey", run.journey},
                                                   {"step", step.path},
                                                   {"channel", send_of(step).channel}}));
        break;
    case IntentState::pending:
    case IntentState::claimed: break;
    }
    go_on(run.id, step.next, run.base);
}

void Turn::learn(const Event& reported) {
    const auto told = feedback_of(reported);
    // What an answer says beside its own outcome settles nothing: that outcome does.
    if (!told || !told->intent || told->refused) return;
    // Whatever happened to a message, it left; but for what its provider gave up itself.
    const auto state =
        told->kind == FeedbackKind::failed ? IntentState::rejected : IntentState::accepted;
    const auto detail = "reported: " + reported.name;
    for (auto& run : customer.runs) {
        if (run.intent == told->intent &&
            (run.sending == Sending::granted || run.sending == Sending::revoked))
            return settle({told->intent, state, detail});
        for (auto& sent : run.sent) {
            if (sent.state != IntentState::unknown || intent_id(run.id, sent.step) != told->intent)
                continue;
            sent.state = state;
            auto line = entry(EntryKind::settle, run);
            line.step = sent.step;
            line.intent = told->intent;
            line.reason = detail;
            say(std::move(line));
        }
    }
    if (!told->settles) return;
    if (state == IntentState::rejected)
        std::erase_if(customer.sends,
                      [&](const SendMark& mark) { return mark.intent == told->intent; });
    effects.emplace_back(IntentSettled{told->intent, state, detail, received_at});
}

void Turn::withdraw() {
    std::vector<RunId> waiting;
    for (const auto& run : customer.runs)
        if (run.sending != Sending::none) waiting.push_back(run.id);
    for (const auto id : waiting) {
        auto* const run = find(id);
        const auto* journey = run ? journey_of(*run) : nullptr;
        if (!journey || run->step >= journey->steps.size()) continue;
        const auto& step = journey->steps[run->step];
        const auto* send = std::get_if<Send>(&step.action);
        if (!send) continue;
        const auto reason = refusal(customer, *send, catalog.settings());
        if (!reason) continue;
        if (run->sending == Sending::granted || run->sending == Sending::revoked) {
            run->sending = Sending::revoked;
            continue;
        }
        recall(*run, *reason);
        go_on(id, step.next, run->base);
    }
}

} // namespace journeys::engine
