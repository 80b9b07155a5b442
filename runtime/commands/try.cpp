// `sojourn try`: a journey on a real customer's data, its messages to a tester's address.

#include "journeys/cel/program.hpp"
#include "journeys/copies.hpp"
#include "journeys/coupons.hpp"
#include "journeys/engine.hpp"
#include "journeys/environment.hpp"
#include "journeys/expressions.hpp"
#include "journeys/policy.hpp"
#include "journeys/profile.hpp"
#include "journeys/properties.hpp"
#include "journeys/trial.hpp"
#include "runtime/archive.hpp"
#include "runtime/base64.hpp"
#include "runtime/channels/http_client.hpp"
#include "runtime/channels/registry.hpp"
#include "runtime/commands/ask.hpp"
#include "runtime/console.hpp"
#include "runtime/customer_json.hpp"
#include "runtime/database.hpp"
#include "runtime/links.hpp"
#include "runtime/postgres/connection.hpp"
#include "runtime/printable.hpp"
#include "runtime/provider_settings.hpp"
#include "runtime/stored_products.hpp"
#include "schema/packed_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <random>
#include <thread>

namespace runtime {
namespace {

using journeys::Result;
using journeys::Timestamp;
using Steady = std::chrono::steady_clock;

struct Options {
    std::string journey, customer, event, properties, config = "config/sojourn.yaml";
    std::vector<std::string> to; ///< One for each kind of address.
    bool fast = false;
};

/// The customer as they are now, and what the service's clock says.
struct Found {
    journeys::Customer customer;
    Timestamp now{};
};

journeys::IntentId random_intent() {
    std::random_device device;
    const auto number = [&] { return (std::uint64_t{device()} << 32) | device(); };
    return {number(), number()};
}

Result<Found> ask_for_customer(const std::filesystem::path& socket, const std::string& id) {
    const auto answer = ask_service(socket, "GET", "/admin/customers/" + url_encode(id) + "/state");
    if (!answer) return answer.error();
    const auto json = nlohmann::json::parse(*answer, nullptr, false);
    const auto block = json.is_object() ? from_base64(json.value("block", "")) : std::nullopt;
    if (!block)
        return journeys::Error{journeys::ErrorCode::unavailable,
                               "the service's answer is no state"};
    auto customer = journeys::unpack(*block);
    if (!customer) return customer.error();
    return Found{std::move(*customer), journeys::from_millis(json.value("now", std::int64_t{0}))};
}

/// With no service running: what the last flush wrote.
Result<Found> read_customer(const Options& options) {
    auto database = open_database(options.config);
    if (!database) return database.error();
    Archive archive{database->conninfo};
    std::vector<journeys::CustomerId> candidates;
    if (const auto id = journeys::parse_customer_id(options.customer)) candidates.push_back(*id);
    candidates.push_back({journeys::IdNamespace::anonymous, options.customer});
    for (std::size_t i = 0; i < candidates.size() && i < 10; ++i) {
        const auto block = archive.snapshot(journeys::to_text(candidates[i]));
        if (!block) return block.error();
        if (!*block) continue;
        auto customer = journeys::unpack(**block);
        if (!customer) return customer.error();
        if (!customer->forward_to) {
            const auto now =
                std::max(customer->accepted_at,
                         std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now()));
            return Found{std::move(*customer), now};
        }
        candidates.push_back(*customer->forward_to);
    }
    return journeys::Error{journeys::ErrorCode::not_found, "no such customer: " + options.customer};
}

/// The product that a product's event is about: the one that the customer showed interest in last.
std::string product_of_interest(const journeys::Journey& journey, const Found& found,
                                const journeys::Catalog& catalog) {
    if (!journey.enter.interested) return {};
    for (const auto& interest : journeys::interests_of(found.customer, catalog))
        if (journeys::is_interested(found.customer, *journey.enter.interested, interest.product,
                                    found.now))
            return interest.product;
    return {};
}

/// Both maps as one; what `first` has goes before.
std::string joined(std::string_view first, std::string_view second) {
    journeys::PackedWriter writer;
    const auto mark = writer.begin_map();
    std::size_t size = 0;
    const auto add = [&](std::string_view key, journeys::PackedView value) {
        writer.key(key);
        writer.value(value);
        ++size;
    };
    const journeys::PackedView given{first}, made{second};
    if (!first.empty())
        for (const auto& [key, value] : given.entries()) add(key, value);
    if (!second.empty())
        for (const auto& [key, value] : made.entries())
            if (first.empty() || !given.find(key)) add(key, value);
    writer.end_map(mark, size);
    return writer.take();
}

/// A product's event that nobody has made: what it would say of the product as it is now.
Result<std::string> product_event(const std::string& name, const std::string& given,
                                  const journeys::Journey& journey, const Found& found,
                                  const journeys::Catalog& catalog) {
    auto id = given.empty() ? std::string{}
                            : journeys::text_at(journeys::PackedView{given}, "product_id");
    if (id.empty()) id = product_of_interest(journey, found, catalog);
    if (id.empty())
        return journeys::Error{
            journeys::ErrorCode::invalid_argument,
            "nothing that this customer did lets them in: no event of interested with a product_id "
            "in its time. Name a product: --properties '{\"product_id\":\"…\"}'"};
    const auto& products = catalog.lookups().products;
    const auto product = products ? products->find(id) : nullptr;
    if (!product && given.empty())
        return journeys::Error{journeys::ErrorCode::invalid_argument,
                               "the catalogue has no product " + id +
                                   ", in which this customer showed interest last"};
    return joined(given, journeys::imagined_product_event(name, product ? *product : ""));
}

/// What opens the run: as the command line says, else the newest that the customer did of what
/// opens the journey, as far as that is remembered.
Result<journeys::Event> entry_event(const Options& options, const journeys::Journey& journey,
                                    const Found& found, const journeys::Catalog& catalog) {
    auto name = options.event;
    std::string properties;
    if (!options.properties.empty()) {
        auto packed = schema::packed_from_json(options.properties);
        if (!packed || !journeys::PackedView{*packed}.is_map())
            return journeys::Error{journeys::ErrorCode::invalid_argument,
                                   "--properties is no JSON object: " + options.properties};
        properties = std::move(*packed);
    }
    Timestamp newest{};
    for (const auto& known : found.customer.newest_events) {
        const bool opens =
            std::ranges::find(journey.enter.on, known.name) != journey.enter.on.end();
        if (!options.properties.empty() || known.at <= newest ||
            (name.empty() ? !opens : known.name != name))
            continue;
        newest = known.at;
        properties = known.properties;
        if (options.event.empty()) name = known.name;
    }
    if (name.empty()) name = journey.enter.on.empty() ? "Trial" : journey.enter.on.front();
    if (journeys::is_product_event(name)) {
        auto made = product_event(name, properties, journey, found, catalog);
        if (!made) return made.error();
        properties = std::move(*made);
    }
    return journeys::make_event(found.customer, std::move(name), std::move(properties), found.now,
                                random_intent().low);
}

/// Which condition would keep the customer out; empty: none.
std::string why_not_entered(const Found& found, const journeys::Event& event,
                            const journeys::Journey& journey, const journeys::Catalog& catalog) {
    journeys::Evaluator evaluator;
    evaluator.look_at({.customer = &found.customer,
                       .event = &event,
                       .now = found.now,
                       .received_at = found.now,
                       .catalog = &catalog});
    for (const auto& condition : journey.enter.when) {
        const auto met = evaluator.look(condition);
        if (met == journeys::Met::yes) continue;
        return std::string{to_text(met == journeys::Met::no ? journeys::NoEntry::when
                                                            : journeys::NoEntry::error)} +
               ", line " + std::to_string(condition.line) + ": " + condition.program->text();
    }
    return {};
}

/// Channels as the configuration has them, called one message at a time.
class TestDelivery {
public:
    TestDelivery(const schema::Config& config, std::vector<std::string> to)
        : config_(config), to_(std::move(to)),
          links_(config.public_url.empty()
                     ? "http://" + config.listen.address + ':' + std::to_string(config.listen.port)
                     : config.public_url,
                 random_instance()) {}

    /// What came of it, for people.
    struct Outcome {
        journeys::IntentState state = journeys::IntentState::accepted;
        std::string to, told; ///< No address: it went to nobody.
    };
    Outcome deliver(const journeys::IntentOpened& intent, const journeys::IntentGranted& grant) {
        const auto payload = of_tester(grant.payload);
        if (intent.template_name.empty())
            return {.to = {},
                    .told = "not called in a trial; it would carry " + printable(data_of(payload))};
        const auto channel =
            std::ranges::find(config_.channels, intent.channel, &schema::ChannelConfig::name);
        if (channel == config_.channels.end())
            return {journeys::IntentState::rejected, {}, "no channel " + intent.channel};
        const auto to = address_for(channel->name);
        if (to.empty())
            return {journeys::IntentState::rejected, {}, "no --to is an address of this channel"};
        auto outcome = channel->type == "sandbox"
                           ? Outcome{.to = {}, .told = "sandbox\n" + message_text(payload)}
                           : call(*channel, payload, to);
        outcome.to = to;
        return outcome;
    }

private:
    /// Nothing that leaves names the customer, or can be taken for a message of theirs.
    std::string of_tester(const std::string& payload) const {
        auto json = nlohmann::ordered_json::parse(payload, nullptr, false);
        if (!json.is_object()) return payload;
        const auto intent = random_intent();
        json["intent"] = journeys::to_text(intent);
        json["customer"] = "trial:" + to_.front();
        return links_.fill(
            json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace), intent);
    }
    static std::string data_of(const std::string& payload) {
        const auto json = nlohmann::ordered_json::parse(payload, nullptr, false);
        return json.is_object() && json.contains("data") ? json["data"].dump() : payload;
    }
    static std::string message_text(const std::string& payload) {
        const auto json = nlohmann::ordered_json::parse(payload, nullptr, false);
        if (!json.is_object() || !json.contains("message"))
            return "  data " + printable(data_of(payload));
        const auto& message = json["message"];
        std::string body = message.value("body", "");
        std::string text = "  subject  " + printable(message.value("subject", "")) + "\n  ";
        for (const char c : printable_lines(body))
            text += c == '\n' ? std::string{"\n  "} : std::string{c};
        return text;
    }

    /// The first of the tester's addresses that is one of the channel's kind.
    std::string address_for(const std::string& channel) const {
        const auto* rules = config_.settings.channel(channel);
        for (const auto& to : to_)
            if (!rules || rules->address.empty() || !journeys::normal_address(*rules, to).empty())
                return rules && !rules->address.empty() ? journeys::normal_address(*rules, to) : to;
        return {};
    }

    Outcome call(const schema::ChannelConfig& channel, const std::string& payload,
                 const std::string& to) {
        const auto provider = make_provider(provider_settings(config_, channel));
        if (!provider) return {journeys::IntentState::rejected, {}, provider.error().detail};
        actors::ProviderRequest request;
        request.channel = channel.name;
        request.customer = {journeys::IdNamespace::user, "trial:" + to_.front()};
        request.address = to;
        request.payload = payload;
        const auto json = nlohmann::json::parse(payload, nullptr, false);
        request.intent =
            journeys::parse_intent_id(json.value("intent", "")).value_or(random_intent());
        auto prepared = (*provider)->prepare(
            request, std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
        if (!prepared) return {journeys::IntentState::rejected, {}, prepared.error().detail};
        std::promise<HttpResponse> answered;
        client_.request(std::move(*prepared),
                        [&](HttpResponse response) { answered.set_value(std::move(response)); });
        const auto outcome = (*provider)->classify(answered.get_future().get());
        const auto detail = outcome.detail.empty() ? "" : " (" + printable(outcome.detail) + ')';
        switch (outcome.kind) {
        case actors::ProviderOutcome::Kind::accepted:
            return {journeys::IntentState::accepted, {}, channel.type + " accepted" + detail};
        case actors::ProviderOutcome::Kind::rejected:
            return {journeys::IntentState::rejected, {}, channel.type + " refused" + detail};
        case actors::ProviderOutcome::Kind::retry:
            return {
                journeys::IntentState::rejected, {}, channel.type + " asks for patience" + detail};
        case actors::ProviderOutcome::Kind::unknown: break;
        }
        return {
            journeys::IntentState::unknown, {}, channel.type + " gave no clear answer" + detail};
    }

    const schema::Config& config_;
    const std::vector<std::string> to_;
    Links links_;
    HttpClient client_;
};

/// The run, line by line.
class Narrator {
public:
    Narrator(const Options& options, const schema::Config& config, std::string zone, Timestamp now)
        : options_(options), delivery_(config, options.to), zone_(std::move(zone)), began_(now) {}

    journeys::TrialHooks hooks() {
        return {.say = [this](const auto& line) { say(line); },
                .deliver =
                    [this](const auto& intent, const auto& grant) {
                        const auto outcome = delivery_.deliver(intent, grant);
                        failed_ = failed_ || outcome.state != journeys::IntentState::accepted;
                        std::printf("  → %s%s%s\n", outcome.to.c_str(),
                                    outcome.to.empty() ? "" : ": ", outcome.told.c_str());
                        std::fflush(stdout);
                        return outcome.state;
                    },
                .wait = [this](Timestamp due) { return wait(due); }};
    }
    bool has_failed() const { return failed_; }

private:
    void say(const journeys::TimelineEntry& line) {
        using journeys::EntryKind;
        if (line.kind == EntryKind::consent || line.kind == EntryKind::stage) return;
        std::printf("%s\n", timeline_line(line, zone_, began_).c_str());
        std::fflush(stdout);
    }
    bool wait(Timestamp due) {
        if (options_.fast) return true;
        const auto passed =
            std::chrono::duration_cast<journeys::Duration>(Steady::now() - started_);
        if (due > began_ + passed) std::this_thread::sleep_for(due - began_ - passed);
        return true;
    }

    const Options& options_;
    TestDelivery delivery_;
    const std::string zone_;
    const Timestamp began_;
    const Steady::time_point started_ = Steady::now();
    bool failed_ = false;
};

int fail(const journeys::Error& error) {
    std::fprintf(stderr, "sojourn: %s\n", error.detail.c_str());
    const bool is_input = error.code == journeys::ErrorCode::invalid_argument ||
                          error.code == journeys::ErrorCode::not_found;
    return is_input ? exit_input : exit_environment;
}

const char* words(journeys::NoEntry reason) {
    return reason == journeys::NoEntry::no_key
               ? "key gives nothing for this customer, so there is no run to try; --event and "
                 "--properties say what opens it"
               : "an expression of enter fails for this customer";
}

/// Whether some expression of the journey asks the catalogue, or what opens it is about a product.
bool asks_for_products(const Files& files, const CompileOptions& compiling,
                       const std::string& journey) {
    const auto compiled = compile(files, compiling);
    const auto* found = compiled.catalog ? compiled.catalog->journey(journey) : nullptr;
    if (!found) return false;
    if (found->enter.interested) return true;
    return std::ranges::any_of(journeys::expressions_of(*found), [](const auto& use) {
        return std::ranges::any_of(use.expression->program->calls(),
                                   [](const auto& call) { return call.function == "product"; });
    });
}

int try_out(const Options& options) {
    int failure = exit_done;
    const auto installation = find_installation(options.config, failure);
    if (!installation) return failure;
    CompileOptions compiling;
    compiling.directory = std::filesystem::path{options.config}.parent_path();
    compiling.trial = true;
    std::optional<Database> database; // Whose server may have been started for this.
    std::shared_ptr<const StoredProducts> products;
    if (asks_for_products(installation->files, compiling, options.journey)) {
        auto opened = open_database(options.config);
        if (!opened) return fail(opened.error());
        database.emplace(std::move(*opened));
        compiling.products = products = std::make_shared<StoredProducts>(database->conninfo);
    }
    const auto compiled = compile(installation->files, compiling);
    if (!compiled.catalog) {
        for (const auto& mistake : compiled.mistakes)
            std::fprintf(stderr, "%s\n", schema::to_text(mistake).c_str());
        return exit_input;
    }
    const auto* journey = compiled.catalog->journey(options.journey);
    if (!journey) {
        std::vector<std::string> known;
        for (const auto& one : compiled.catalog->journeys()) known.push_back(one->id);
        std::fprintf(stderr, "sojourn: no journey %s.%s\n", options.journey.c_str(),
                     schema::did_you_mean(options.journey, known).c_str());
        return exit_input;
    }
    auto found = ask_for_customer(installation->socket(), options.customer);
    if (!found && found.error().code == journeys::ErrorCode::unavailable)
        found = read_customer(options);
    if (!found) {
        if (found.error().code != journeys::ErrorCode::not_found) return fail(found.error());
        std::fprintf(stderr, "no such customer: %s\n", options.customer.c_str());
        return exit_input;
    }
    const auto event = entry_event(options, *journey, *found, *compiled.catalog);
    if (!event) return fail(event.error());

    const auto catalog = journeys::trial_catalog(*compiled.catalog, *journey);
    std::printf("trial of %s for %s, messages to %s · nothing is kept, and the customer is told "
                "nothing\nopened by %s",
                journey->id.c_str(), printable(journeys::display(found->customer.id)).c_str(),
                options.to.front().c_str(), printable(event->name).c_str());
    if (!event->properties.empty())
        std::printf(" %s",
                    printable(journeys::to_json(journeys::PackedView{event->properties})).c_str());
    std::printf("\n");
    if (const auto why = why_not_entered(*found, *event, *journey, *catalog); !why.empty())
        std::printf("by itself it would not be entered now: %s\n", printable(why).c_str());
    std::printf("\n");
    std::fflush(stdout);
    Narrator narrator{options, *compiled.config,
                      std::string{journeys::zone_of(found->customer, catalog->settings())},
                      found->now};
    const auto* alone = catalog->journey(journey->id);
    if (const auto why =
            journeys::try_journey(found->customer, *event, *catalog, *alone, narrator.hooks())) {
        std::fprintf(stderr, "sojourn: %s\n", words(*why));
        return exit_input;
    }
    if (products && !products->failure().empty()) {
        std::fprintf(stderr, "sojourn: the catalogue could not be asked: %s\n",
                     products->failure().c_str());
        return exit_environment;
    }
    return narrator.has_failed() ? exit_environment : exit_done;
}

} // namespace

void add_try(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand(
        "try", "A journey on a customer's data, its messages to your own address; nothing is kept");
    const auto options = std::make_shared<Options>();
    command->add_option("journey", options->journey, "The journey's id, as its file is now")
        ->required();
    command->add_option("--customer", options->customer, "Any id of the customer whose data it is")
        ->required();
    command
        ->add_option("--to", options->to,
                     "The address that the messages go to; again for another kind: a number")
        ->allow_extra_args(false)
        ->required();
    command->add_flag("--fast", options->fast, "Do not wait");
    command->add_option("--event", options->event,
                        "What opens it; else the customer's newest that does");
    command->add_option("--properties", options->properties, "Of that event, as a JSON object");
    command->add_option("--config", options->config, "The configuration")->capture_default_str();
    command->footer(
        "Conditions, data and templates see the customer as they are now. Consent, "
        "caps, quiet hours and\nthe holdout are left out; a call is shown and not made; "
        "a wait for an event ends by its time-out;\na coupon's code is made up. Without "
        "--fast waits take as long as they say; Ctrl-C ends the trial.");
    command->callback([options, &exit_code] { exit_code = try_out(*options); });
}

} // namespace runtime
