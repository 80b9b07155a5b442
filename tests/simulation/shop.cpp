#include "tests/simulation/shop.hpp"

#include "journeys/local_time.hpp"
#include "schema/record_codec.hpp"

#include <algorithm>

namespace simulation {

using namespace std::chrono_literals;

void Shop::say(Process& door, std::string members, Timestamp at) {
    auto message = std::make_shared<Message>();
    const auto id = "m" + std::to_string(++said_);
    message->text = "{\"messageId\":\"" + id + "\",\"timestamp\":\"" + journeys::to_text(at) +
                    "\"," + std::move(members) + "}";
    messages_.push_back(message);
    send(door, message);
}

void Shop::track(Process& door, const std::string& who, const std::string& event,
                 const std::string& properties, Timestamp at) {
    say(door,
        R"("type":"track",)" + who + R"(,"event":")" + event + R"(","properties":)" + properties,
        at);
}

void Shop::act(Process& door) {
    const int person = world_.between(0, 5);
    const auto number = std::to_string(person);
    const auto user = "\"userId\":\"u" + number + "\"";
    const auto anonymous = "\"anonymousId\":\"a" + number + "\"";
    const auto& who = world_.between(0, 3) == 0 ? anonymous : user;
    // Most happen now; some come late, a few very late.
    Timestamp at = world_.clock;
    if (world_.between(0, 3) == 0) at -= std::chrono::seconds{world_.between(1, 5400)};
    if (world_.between(0, 39) == 0) at -= 26h;
    const auto product = std::to_string(world_.between(1, 4));
    const auto line = R"("product_id":"p)" + product + R"(","price":)" +
                      std::to_string(world_.between(5, 40)) + R"(,"quantity":1,"currency":"EUR")";
    const int dice = world_.between(0, 99);
    if (dice < 32)
        track(door, who, "Product Added", "{\"cart_id\":\"c" + number + "\"," + line + "}", at);
    else if (dice < 60)
        track(door, who, "Product Viewed", "{" + line + "}", at);
    else if (dice < 72)
        track(door, who, "Order Completed",
              R"({"order_id":"o)" + std::to_string(++orders_) +
                  R"(","total":30,"currency":"EUR","products":[{)" + line +
                  R"(},{"product_id":"p0","price":3,"quantity":1,"currency":"EUR"}]})",
              at);
    else if (dice < 78)
        track(door, who, "Product Removed", "{\"cart_id\":\"c" + number + "\"," + line + "}", at);
    else if (dice < 90)
        say(door,
            R"("type":"identify","traits":{"plan":")" + product + R"(","renews":"2026-03-0)" +
                product + "\"}," + user + "," + anonymous,
            at);
    else if (dice < 92) // Two people turn out to be one.
        say(door,
            R"("type":"alias","previousId":"u)" + std::to_string(world_.between(0, 5)) + "\"," +
                user,
            at);
    else if (dice < 94) // One who never rests: their dedup ring overflows.
        for (int i = 0; i < 140; ++i) track(door, user, "Product Viewed", "{" + line + "}", at);
    else
        track(door, who, "Cart Viewed",
              "{\"cart_id\":\"c" + number + R"(","products":[{)" + line + "}]}", at);
}

void Shop::repeat(Process& door) {
    if (messages_.empty()) return;
    auto message = messages_[static_cast<std::size_t>(
        world_.between(0, static_cast<int>(messages_.size()) - 1))];
    if (world_.between(0, 4) == 0) {
        auto other = std::make_shared<Message>(*message);
        const auto at = other->text.find("\"price\":");
        if (at != std::string::npos) other->text.insert(at + 8, "1");
        other->is_under_way = other->is_acked = false;
        message = other;
        messages_.push_back(message);
    }
    send(door, message);
}

void Shop::send_unacked(Process& door) {
    const auto messages = messages_; // A refusal may come at once.
    for (const auto& message : messages) {
        if (message->is_acked) continue;
        if (message->is_under_way && message->at && message->at->is_alive() &&
            !message->at->is_frozen)
            continue;
        send(door, message);
    }
}

bool Shop::has_unacked() const {
    return std::ranges::any_of(messages_, [](const auto& message) { return !message->is_acked; });
}

void Shop::send(Process& door, std::shared_ptr<Message> message) {
    schema::Envelope envelope;
    envelope.received_at = world_.clock;
    auto frame = decoder_.decode(message->text, envelope).value();
    auto& item = frame.items.front();
    if (!item.event) {
        world_.violate("the shop says what nobody understands: " + item.event.error().detail);
        return;
    }
    message->hash = item.event->message_hash;
    const auto routing = identities_[&door].route(*item.event, world_.clock);
    std::vector<actors::Draft> drafts;
    const auto add = [&](CustomerId customer, auto body) {
        auto record = std::make_shared<Record>();
        record->customer = customer;
        record->body = std::move(body);
        actors::Draft draft;
        draft.customer = std::move(customer);
        draft.kind = record->kind();
        draft.message_hash = schema::message_hash(*record);
        draft.record = std::move(record);
        drafts.push_back(std::move(draft));
    };
    add(routing.customer, std::move(*item.event));
    for (const auto& link : routing.links) add(link.loser, link.link);
    message->is_under_way = true;
    message->at = &door;
    door.append(std::move(drafts), [this, message](const journeys::Result<void>& result) {
        message->is_under_way = false;
        if (!result) return;
        message->is_acked = true;
        world_.acked.insert(message->hash);
    });
}

void Shop::published(Process& door, std::uint64_t publication) {
    std::vector<actors::Draft> drafts(1);
    drafts[0].kind = journeys::RecordKind::publish;
    drafts[0].record = std::make_shared<Record>();
    drafts[0].record->body = journeys::Publish{publication, {}};
    door.append(std::move(drafts), [](const journeys::Result<void>&) {});
}

} // namespace simulation
