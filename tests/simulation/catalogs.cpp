#include "tests/simulation/catalogs.hpp"

#include "schema/audiences_yaml.hpp"
#include "schema/journey_yaml.hpp"

#include <stdexcept>
#include <string>

namespace simulation {
namespace {

/// Waits that are restarted, a condition on the cart, exits by event and by state, a channel with
/// and one without a key, a cap.
std::string cart_abandon(const std::string& status, const std::string& on_publish,
                         const std::string& first_wait) {
    return "id: cart-abandon\nstatus: " + status + "\non_publish: " + on_publish + R"(
priority: 60
enter:
  on: [Product Added, Cart Updated]
  when: cart.value >= 20
  key: cart.id
  reentry: { after: 1h, per: customer }
exit:
  - { on: Order Completed, reason: purchased }
  - { when: size(cart.items) == 0, reason: cart-emptied }
goal: { on: Order Completed, within: 5d }
holdout: 10%
steps:
  - name: first-wait
    wait: { for: )" +
           first_wait + R"(, restart_on: [Product Added, Product Viewed], at_most: 3h }
  - name: first
    send:
      channel: mail
      template: reminder
      topic: cart
      data:
        total: cart.value
  - name: second-wait
    wait: { for: 2h }
  - name: second
    send:
      channel: crm
      template: second
      topic: cart
      delivery: at_least_once
      data:
        count: size(cart.items)
)";
}

/// A counter, a wait for an event with both its ends.
std::string browse(const std::string& status) {
    return "id: browse\nstatus: " + status + R"(
enter:
  on: Product Viewed
  when: count("Product Viewed", "24h") >= 2
  reentry: { after: 2h }
exit:
  - { on: Order Completed, reason: purchased }
steps:
  - name: interest
    wait:
      for_event: Product Added
      at_most: 40m
      then:
        - exit: { reason: went-on }
      timeout:
        - name: nudge
          send:
            channel: mail
            template: nudge
            topic: browse
            delivery: at_least_once
            capped: defer
)";
}

/// One run an order, a trait that is written, a chain to the next journey.
constexpr const char* post_purchase = R"(
id: post-purchase
status: live
enter:
  on: Order Completed
  key: event.properties.order_id
  reentry: never
steps:
  - name: rest
    wait: { for: 20m }
  - name: thanks
    send: { channel: crm, template: thanks, topic: orders, purpose: transactional }
  - name: remember
    update:
      set:
        thanked: customer.orders
)";

constexpr const char* chained = R"(
id: chained
status: live
enter:
  on: Journey Ended
  when: event.properties.journey == "post-purchase"
  reentry: always
steps:
  - name: pause
    wait: { for: 5m }
  - name: tell
    call:
      channel: crm
      data:
        orders: customer.orders
)";

/// Entered by walks: one through an audience, one through those who have seen a product.
std::string visit(const std::string& status) {
    return "id: visit\nstatus: " + status + R"(
enter: { audience: everybody, pace: 20/s, reentry: { after: 1h, per: customer } }
steps:
  - name: hello
    send: { channel: mail, template: hello, topic: browse, expires: 1h }
)";
}
constexpr const char* cheaper = R"(
id: cheaper
status: live
enter:
  on: Product Price Dropped
  interested: { did: Product Viewed, within: 30d }
  key: event.properties.product_id
  reentry: after 1h
exit:
  - { on: Order Completed, reason: purchased }
steps:
  - name: moment
    wait: { for: 10m }
  - name: tell
    call:
      channel: crm
      data:
        price: run.event.properties.to
)";

/// One run for each of a list.
constexpr const char* parcel = R"(
id: parcel
status: live
enter:
  on: Order Completed
  each: event.properties.products
  key: run.item.product_id
  reentry: { after: 30m }
exit:
  - { on: Product Viewed, when: event.properties.product_id == run.key, reason: seen-again }
steps:
  - name: on-its-way
    wait: { for: 25m }
  - name: tell
    call:
      channel: crm
      data:
        product: run.item.product_id
)";

/// Entered when a condition turns true, again and again.
constexpr const char* full_cart = R"(
id: full-cart
status: live
enter: { becomes: cart.value >= 60, reentry: { after: 10m } }
exit:
  - { when: cart.value < 60, reason: less }
steps:
  - name: moment
    wait: { for: 5m }
  - name: tell
    send: { channel: mail, template: full, topic: cart, expires: 1h }
)";

/// By a day of the customer, which they may change their mind about.
constexpr const char* renewal = R"(
id: renewal
status: live
enter: { date: customer.traits.renews, every: once, at: "17:30", reentry: always }
steps:
  - name: moment
    wait: { for: 3m }
  - name: tell
    call:
      channel: crm
      data:
        renews: customer.traits.renews
)";

/// By a risk that rises with time alone: from the midnight behind an order on.
constexpr const char* silence = R"(
id: silence
status: live
enter: { on_churn_risk: 0.3, reentry: always }
exit: { on: Order Completed, reason: bought }
steps:
  - name: moment
    wait: { for: 10m }
  - name: tell
    send: { channel: mail, template: silence, topic: browse, expires: 1h }
)";

/// As fitted to CDNOW's sample.
journeys::models::ModelSetPtr models() {
    journeys::models::ModelSet models;
    models.version = 7;
    models.purchases.purchases = journeys::models::BgNbd{
        .r = .524843, .alpha = 6.183085, .a = .891359, .b = 1.614002, .modified = true};
    return std::make_shared<const journeys::models::ModelSet>(std::move(models));
}

/// A timer that is no run's.
constexpr const char* goodbye = R"(
id: goodbye
status: live
enter:
  on: Session Ended
  reentry: { after: 1h }
exit:
  - { on: Product Viewed, reason: back }
steps:
  - name: moment
    wait: { for: 10m }
  - name: words
    send: { channel: mail, template: goodbye, topic: browse, expires: 30m }
)";

journeys::Settings settings() {
    journeys::Settings rules;
    rules.seed = 7;
    rules.channels = {{.name = "mail", .type = "sandbox", .address = {}, .needs_opt_in = false},
                      {.name = "crm",
                       .type = "webhook",
                       .address = {},
                       .needs_opt_in = false,
                       .deduplicates = true}};
    rules.topics = {"cart", "browse", "orders"};
    rules.caps = {{.channel = "mail", .topic = {}, .messages = 2, .per = std::chrono::hours{3}}};
    rules.quiet_hours = {{.channels = {"mail"},
                          .from = std::chrono::hours{15},
                          .to = std::chrono::minutes{15 * 60 + 40}}};
    return rules;
}

std::vector<journeys::CatalogPtr> make() {
    const std::vector<std::vector<std::string>> publications{
        {cart_abandon("live", "pin", "45m"), browse("live"), post_purchase, chained, goodbye,
         visit("live"), cheaper},
        {cart_abandon("live", "migrate", "20m"), browse("paused"), post_purchase, chained, goodbye,
         visit("paused"), cheaper},
        {cart_abandon("archived", "pin", "45m"), browse("live"), post_purchase, chained,
         visit("live")},
        {cart_abandon("live", "exit", "30m"), browse("closed"), post_purchase, chained, goodbye,
         visit("live"), cheaper},
        {cart_abandon("paused", "migrate", "25m"), browse("live"), post_purchase, chained, goodbye,
         visit("paused"), cheaper},
        {cart_abandon("live", "pin", "50m"), browse("live"), post_purchase, chained, goodbye,
         visit("live"), cheaper},
    };
    std::vector<std::vector<journeys::JourneyPtr>> loaded_publications;
    std::vector<journeys::JourneyPtr> known; // In whatever order they are published.
    for (const auto& files : publications) {
        auto& current = loaded_publications.emplace_back();
        const auto load = [&](const std::string& text) {
            auto loaded = schema::load_journey("simulated.yaml", text, {});
            for (const auto& mistake : loaded.mistakes)
                if (!mistake.is_warning) throw std::logic_error(schema::to_text(mistake));
            current.push_back(loaded.journey);
        };
        for (const auto& text : files) load(text);
        // What time does under them is the same in all: nobody has to be woken for another.
        for (const auto* text : {parcel, full_cart, renewal, silence}) load(text);
        known.insert(known.end(), current.begin(), current.end());
    }
    journeys::Lookups lookups;
    lookups.audiences =
        schema::load_audiences("audiences.yaml", "everybody: customer.orders >= 0", {}).audiences;
    std::vector<journeys::CatalogPtr> made;
    for (const auto& current : loaded_publications)
        made.push_back(std::make_shared<const journeys::Catalog>(
            made.size() + 1, settings(), current, known,
            std::map<std::string, std::shared_ptr<const journeys::Template>>{}, models(), lookups));
    return made;
}

} // namespace

const std::vector<journeys::CatalogPtr>& catalogs() {
    static const auto all = make();
    return all;
}

} // namespace simulation
