#include "tests/support/actor_fixture.hpp"

namespace support {

using namespace std::chrono_literals;

ActorFixture::ActorFixture(actors::Partition partitions) : rules(actors::product_rules()) {
    disk.partitions.resize(partitions);
    disk.publications[0] = catalog_of(0, {cart_journey()});
    settings.partitions = partitions;
    settings.testing = true;
    settings.channels.push_back({.name = "mail"});
}

ActorFixture::~ActorFixture() {
    if (system) crash();
}

void ActorFixture::start() {
    worlds.push_back(std::make_unique<World>(disk, provider, clock));
    auto all = std::make_unique<actors::Ports>();
    all->log = worlds.back().get();
    all->store = worlds.back().get();
    all->catalogs = worlds.back().get();
    all->pacer = worlds.back().get();
    all->observer = observer;
    for (const auto& channel : settings.channels) all->channels[channel.name] = worlds.back().get();
    all->poison = poison;
    all->encode = [](const Record&) { return std::string{}; };
    ports.push_back(std::move(all));
    settings.rules = &rules;
    system = std::make_unique<actors::System>(*ports.back(), settings);
    system->start();
}

void ActorFixture::crash() {
    world().is_dead = true;
    system.reset();
    world().later.clear();
}

bool ActorFixture::stop() {
    bool drained = false, stopped = false;
    system->drain_channels([&] { drained = true; });
    for (int i = 0; i < 1000 && !drained; ++i) pass(50ms, 50ms);
    system->stop_partitions([&] { stopped = true; });
    for (int i = 0; i < 1000 && !stopped; ++i) pass(50ms, 50ms);
    crash();
    return drained && stopped;
}

const Record& ActorFixture::append(Record record) {
    const Record& written = world().write(std::move(record));
    world().publish_log();
    return written;
}

void ActorFixture::track(const CustomerId& customer, std::string name, std::string message_id) {
    static std::uint64_t made = 0;
    if (message_id.empty()) message_id = "made-" + std::to_string(++made);
    journeys::Event event;
    event.name = std::move(name);
    event.ids = {customer};
    event.message_id = message_id;
    event.message_hash = journeys::hash(message_id);
    event.time = event.written = clock;
    Record record;
    record.customer = customer;
    record.body = std::move(event);
    append(std::move(record));
}

void ActorFixture::publish(std::uint64_t publication, journeys::CatalogPtr catalog) {
    disk.publications[publication] = std::move(catalog);
    Record record;
    record.body = journeys::Publish{publication, {}};
    append(std::move(record));
}

bool ActorFixture::happen_by_chance() {
    auto& jobs = scheduler().jobs;
    auto& answers = world().later;
    const std::size_t choices = jobs.size() + answers.size();
    if (choices == 0) return false;
    const std::size_t choice = chance ? (*chance)() % choices : 0;
    if (choice < jobs.size()) {
        std::swap(jobs[0], jobs[choice]);
        scheduler().run_once();
        ++messages;
    } else {
        const auto at = answers.begin() + static_cast<std::ptrdiff_t>(choice - jobs.size());
        const auto answer = std::move(*at);
        answers.erase(at);
        answer();
    }
    return true;
}

void ActorFixture::settle() {
    while (happen_by_chance()) {
    }
}

void ActorFixture::pass(journeys::Duration span, journeys::Duration step) {
    for (const Timestamp until = clock + span; clock < until;) {
        clock = std::min(until, clock + step);
        world().close();
        settle();
        // As much as lies between two ticks at most; all of it would be a thousand of them a step.
        scheduler().advance_time(
            caf::timespan{std::min<journeys::Duration>(step, std::chrono::milliseconds{500})});
        settle();
    }
}

std::optional<journeys::Customer> ActorFixture::stored(const CustomerId& customer) const {
    const auto count = static_cast<actors::Partition>(disk.partitions.size());
    const auto& rows = disk.partitions[actors::partition_of(customer, count)].customers;
    const auto row = rows.find(customer);
    if (row == rows.end() || !row->second.block) return std::nullopt;
    return journeys::unpack(*row->second.block).value();
}

std::vector<IntentState> ActorFixture::outbox() const {
    std::vector<IntentState> states;
    for (const auto& [id, row] : disk.outbox) states.push_back(row.state);
    return states;
}

journeys::JourneyPtr cart_journey(std::uint64_t version, journeys::Duration wait,
                                  journeys::Delivery delivery) {
    auto journey = std::make_shared<journeys::Journey>();
    journey->id = "cart";
    journey->version = version;
    journey->status = journeys::Status::live;
    journey->enter.on = {"Product Added"};
    journey->exits.push_back({{"Order Completed"}, {}, "purchased", 1});
    journeys::Send send;
    send.channel = "mail";
    send.template_name = "reminder";
    send.topic = "cart";
    send.delivery = delivery;
    const auto step = [&](std::string path, journeys::StepIndex next, auto action) {
        journeys::Step made;
        made.path = std::move(path);
        made.named = true;
        made.next = next;
        made.action = std::move(action);
        journey->steps.push_back(std::move(made));
    };
    step("first-wait", 1, journeys::WaitFor{wait, {}, {}});
    step("first", 2, send);
    step("second-wait", 3, journeys::WaitFor{24h, {}, {}});
    step("second", journeys::end_of_run, send);
    journey->first = 0;
    return journey;
}

journeys::CatalogPtr catalog_of(std::uint64_t publication,
                                std::vector<journeys::JourneyPtr> current) {
    journeys::Settings rules;
    rules.seed = 7;
    rules.assume_permission = true;
    rules.channels.push_back(
        {.name = "mail", .type = "sandbox", .address = {}, .needs_opt_in = false});
    return std::make_shared<const journeys::Catalog>(publication, std::move(rules),
                                                     std::move(current));
}

} // namespace support
