/// What traffic says of a shop's own events.
#include "journeys/packed.hpp"
#include "schema/event_learning.hpp"

#include <catch2/catch.hpp>

#include <functional>

namespace {

journeys::Event event(const std::string& name,
                      const std::function<std::size_t(journeys::PackedWriter&)>& properties) {
    journeys::PackedWriter writer;
    const auto mark = writer.begin_map();
    writer.end_map(mark, properties(writer));
    journeys::Event made;
    made.name = name;
    made.properties = writer.take();
    return made;
}

journeys::Event bare(const std::string& name) {
    return event(name, [](auto&) { return std::size_t{0}; });
}

} // namespace

TEST_CASE("names that no standard has are learned with the types of their properties", "[schema]") {
    schema::EventLearner learner;
    for (int i = 0; i < 2; ++i)
        learner.see(event("Wishlist Shared", [&](journeys::PackedWriter& writer) {
            writer.key("list_id");
            writer.string("2026");
            writer.key("items");
            i == 0 ? writer.integer(3) : writer.floating(2.5);
            writer.key("at");
            writer.string("2026-03-02T10:00:00Z");
            writer.key("sometimes");
            i == 0 ? writer.integer(1) : writer.string("one");
            writer.key("never");
            writer.null();
            writer.key("due");
            writer.string(i == 0 ? "2026-03-02" : "soon");
            return std::size_t{6};
        }));
    learner.see(bare("Order Completed"));
    learner.see(bare("Session Ended"));
    learner.see(bare("Audience Reached"));
    learner.see(bare("on"));
    learner.see(bare("Paid: 100 %"));
    CHECK(learner.seen() == 7);

    auto declared = schema::load_events("events.yaml", R"(
events:
  Wishlist Shared: { description: "To a friend: by mail", properties: { list_id: number } }
  Warranty Registered: {}
)");
    REQUIRE(declared.mistakes.empty());
    const auto text = learner.yaml(declared);
    CHECK(text.substr(text.find("events:")) == R"(events:
  'Paid: 100 %':   # seen: 1
  Warranty Registered:
  Wishlist Shared:   # seen: 2
    description: 'To a friend: by mail'
    properties:
      at: time
      due: string
      items: number
      list_id: number
      never: any
      sometimes: any
  'on':   # seen: 1
)");
    // What it writes is read again, and says the same.
    const auto again = schema::load_events("events.yaml", text);
    CHECK(again.mistakes.empty());
    CHECK(learner.yaml(again) == text);
}

TEST_CASE("what is learned is bounded, and what is left out counted", "[schema]") {
    schema::EventLearner learner;
    for (std::size_t i = 0; i < schema::EventLearner::events_max; ++i)
        learner.see(bare("Event " + std::to_string(i)));
    CHECK(learner.left_out() == 0);
    learner.see(bare("One More"));
    CHECK(learner.left_out() == 1);
    CHECK(learner.yaml({}).find("One More") == std::string::npos);
    learner.see(event("Event 0", [](journeys::PackedWriter& writer) {
        for (std::size_t i = 0; i <= schema::EventLearner::properties_max; ++i) {
            writer.key("p" + std::to_string(i));
            writer.integer(1);
        }
        return schema::EventLearner::properties_max + 1;
    }));
    CHECK(learner.left_out() == 2);
    CHECK(schema::EventLearner{}.yaml({}).ends_with("events: {}\n"));
}

TEST_CASE("names that are most likely another's are not declared", "[schema]") {
    schema::EventLearner learner;
    for (int i = 0; i < 3; ++i) learner.see(bare("Wishlist Shared"));
    learner.see(bare("wishlist shared"));
    learner.see(bare("warranty_registered"));
    learner.see(bare("Placed Order"));
    const auto declared =
        schema::load_events("events.yaml", "events:\n  Warranty Registered:\n  add_to_cart:\n");
    learner.see(bare("add_to_cart")); // Who declares it by hand means it.
    CHECK(learner.yaml(declared).ends_with(
        "# left out: 'Placed Order', seen: 1; here it is 'Order Completed'\n"
        "# left out: 'warranty_registered', seen: 1; another spelling of 'Warranty Registered'\n"
        "# left out: 'wishlist shared', seen: 1; another spelling of 'Wishlist Shared'\n"
        "events:\n"
        "  Warranty Registered:\n"
        "  Wishlist Shared:   # seen: 3\n"
        "  add_to_cart:   # seen: 1\n"));
    CHECK(learner.left_out() == 0);
}

TEST_CASE("names that no file can hold are counted, and a part of many properties is not declared",
          "[schema]") {
    schema::EventLearner learner;
    learner.see(bare("two\nlines"));
    learner.see(event("Wishlist Shared", [](journeys::PackedWriter& writer) {
        writer.key("a\nb");
        writer.integer(1);
        writer.key("c");
        writer.integer(1);
        return std::size_t{2};
    }));
    CHECK(learner.left_out() == 2);
    CHECK(learner.yaml({}).ends_with("  Wishlist Shared:   # seen: 1\n    properties:\n"
                                     "      c: number\n"));
}
