#include "tests/faults/traffic.hpp"

#include <memory>
#include <utility>

namespace faults {

namespace {

constexpr std::size_t repeated_within = 1000;

std::string track(std::string_view event, const std::string& properties) {
    return R"("type":"track","event":")" + std::string{event} + R"(","properties":{)" + properties +
           '}';
}

} // namespace

Traffic::Traffic(std::uint64_t seed, int lane, Mix mix)
    : random_(seed ^ (0x9e3779b97f4a7c15ull * static_cast<std::uint64_t>(lane + 1))), lane_(lane),
      mix_(std::move(mix)), customers_(static_cast<std::size_t>(mix_.customers)) {}

double Traffic::chance() { return static_cast<double>(random_() >> 11) * 0x1.0p-53; }
std::size_t Traffic::below(std::size_t bound) { return random_() % bound; }

Message Traffic::next() {
    if (!again_.empty() && chance() < mix_.duplicates) {
        const auto at = again_.begin() + static_cast<std::ptrdiff_t>(below(again_.size()));
        auto message = std::move(*at);
        again_.erase(at);
        return message;
    }
    while (shuffled_.size() < std::max<std::size_t>(1, mix_.reordered_within))
        shuffled_.push_back(make());
    const auto at = shuffled_.begin() + static_cast<std::ptrdiff_t>(below(shuffled_.size()));
    auto message = std::move(*at);
    shuffled_.erase(at);
    if (mix_.duplicates > 0 && again_.size() < repeated_within) {
        auto& twin = again_.emplace_back(message);
        if (chance() < mix_.other_payloads) // By the same person, of something else.
            twin.json = twin.json.substr(0, twin.json.find(R"(,"type")")) + ',' +
                        track("Product Added", R"("cart_id":"x","product_id":"x","price":1)") + '}';
    }
    return message;
}

Message Traffic::make() {
    if (mix_.nameless > 0 && chance() < mix_.nameless) {
        const auto id = "nobody" + std::to_string(lane_) + '.' + std::to_string(++nameless_);
        return {id, R"({"messageId":")" + id + "\"," + track("Signed Up", R"("number":"n")") + '}'};
    }
    const auto who = mix_.hot > 0 && chance() < mix_.hot ? 0 : below(customers_.size());
    auto& customer = customers_[who];
    const auto name = std::to_string(lane_) + '-' + std::to_string(who);
    const auto number = std::to_string(++customer.number);
    const auto guest = "g" + name + '-' + std::to_string(customer.guest);
    // Guests have carts and pages of their own. Of two runs of one key the older would stay where
    // its message has not left yet, and when that is hangs on the provider.
    const auto& visitor = customer.is_guest ? guest : name;
    const auto cart = R"("cart_id":"c)" + visitor + '-' + std::to_string(customer.cart) + '"';
    const auto view_of = [&](const std::string& whose) {
        return track("Product Viewed", R"("product_id":"p)" + std::to_string(below(5)) +
                                           R"(","url":"https://shop.example/)" + whose + '"');
    };

    Message message;
    message.id = name + '.' + number;
    auto id = R"("userId":"u)" + name + '"';
    std::string body;
    const auto dice = chance();
    if (customer.is_guest && dice < 0.2) { // Known at last: what the guest did is theirs.
        body = R"("type":"identify","anonymousId":")" + guest + R"(","traits":{"email":")" +
               Traffic::personal + name + R"(@example.com"})";
        customer.is_guest = false;
        ++customer.guest;
    } else if (dice < 0.45) {
        body = track("Product Added", cart + R"(,"product_id":"p)" + std::to_string(below(5)) +
                                          R"(","price":10,"quantity":1)");
    } else if (dice < 0.70) {
        body = view_of(visitor);
    } else if (dice < 0.80) {
        body = track("Order Completed",
                     cart + R"(,"order_id":"o)" + name + '-' + number + R"(","total":10)");
        ++customer.cart;
    } else if (dice < 0.92) {
        body = track("Signed Up", R"("number":"n)" + number + '"');
    } else if (mix_.links && dice < 0.96 && !customer.is_guest) {
        customer.is_guest = true;
        body = view_of(guest);
    } else {
        body = R"("type":"identify","traits":{"email":")" + std::string{Traffic::personal} + name +
               R"(@example.com","number":)" + number + '}';
    }
    // An order comes from the shop's own system, which knows who it is.
    if (customer.is_guest && body.find("identify") == body.npos &&
        body.find("Order Completed") == body.npos)
        id = R"("anonymousId":")" + guest + '"';
    message.json = R"({"messageId":")" + message.id + "\"," + id + ',' + body;
    if (mix_.earlier && chance() < mix_.late)
        message.json += R"(,"timestamp":")" + mix_.earlier() + '"';
    message.json += '}';
    return message;
}

std::function<Message(int producer)> traffic_of(std::uint64_t seed, const Mix& mix, int producers,
                                                int first_lane) {
    auto lanes = std::make_shared<std::vector<Traffic>>();
    for (int i = 0; i < producers; ++i) lanes->emplace_back(seed, first_lane + i, mix);
    return [lanes](int producer) { return (*lanes)[static_cast<std::size_t>(producer)].next(); };
}

} // namespace faults
