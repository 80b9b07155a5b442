#include "runtime/publication.hpp"

#include "journeys/expressions.hpp"
#include "journeys/ids.hpp"
#include "journeys/template.hpp"
#include "runtime/event_files.hpp"
#include "schema/actions_yaml.hpp"
#include "schema/events_yaml.hpp"
#include "schema/journey_yaml.hpp"
#include "schema/model_json.hpp"
#include "schema/reward_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>

namespace runtime {
namespace {

namespace fs = std::filesystem;
using journeys::Error;
using journeys::ErrorCode;

journeys::Result<void> read_journeys(const fs::path& place, Files& files) {
    std::error_code error;
    if (!fs::is_directory(place, error)) {
        auto text = read_file(place);
        if (!text) return text.error();
        files.journeys[place.string()] = std::move(*text);
        return {};
    }
    for (const auto& entry : fs::directory_iterator{place, error}) {
        const auto extension = entry.path().extension();
        if (extension != ".yaml" && extension != ".yml") continue;
        auto text = read_file(entry.path());
        if (!text) return text.error();
        files.journeys[entry.path().string()] = std::move(*text);
    }
    if (error)
        return Error{ErrorCode::not_found, place.string() + ": cannot be read: " + error.message()};
    return {};
}

journeys::Result<void> read_templates(const fs::path& place, Files& files) {
    std::error_code error;
    if (!fs::is_directory(place, error)) return {};
    for (const auto& entry : fs::directory_iterator{place, error}) {
        if (entry.path().extension() != ".mustache") continue;
        auto text = read_file(entry.path());
        if (!text) return text.error();
        files.templates[entry.path().stem().string()] = std::move(*text);
    }
    return {};
}

schema::Outside outside(const fs::path& directory) {
    return {[](const std::string& name) -> std::optional<std::string> {
                const auto* value = std::getenv(name.c_str());
                return value ? std::optional<std::string>{value} : std::nullopt;
            },
            [directory](const std::string& path) -> std::optional<std::string> {
                auto text = read_file(directory / path);
                if (!text) return std::nullopt;
                while (!text->empty() && (text->back() == '\n' || text->back() == '\r'))
                    text->pop_back();
                return std::move(*text);
            }};
}

void append(std::vector<schema::Mistake>& all, std::vector<schema::Mistake> more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
}

/// Without a configuration actions are taken as journeys name them, all of them alike.
void offer_as_named(journeys::Offers& offers, const std::vector<journeys::JourneyPtr>& journeys) {
    for (const auto& journey : journeys)
        for (const auto& step : journey->steps)
            if (const auto* decide = std::get_if<journeys::Decide>(&step.action))
                for (const auto& way : decide->ways) {
                    if (std::ranges::any_of(offers.actions, [&](const auto& known) {
                            return known.action.id == way.action;
                        }))
                        continue;
                    journeys::OfferedAction made;
                    made.action.id = way.action;
                    made.action.value = 1;
                    offers.actions.push_back(std::move(made));
                }
}

bool has_errors(const std::vector<schema::Mistake>& mistakes) {
    return std::ranges::any_of(mistakes,
                               [](const schema::Mistake& mistake) { return !mistake.is_warning; });
}

} // namespace

journeys::Result<Files> read_files(const std::optional<fs::path>& config,
                                   const std::optional<fs::path>& journeys) {
    Files files;
    std::vector<fs::path> places;
    if (config) {
        auto text = read_file(*config);
        if (!text) return text.error();
        files.config_name = config->string();
        files.config = std::move(*text);
        const auto directory = config->parent_path();
        // Read once for its paths alone; its mistakes are told when everything is compiled.
        const auto settings =
            schema::load_settings(files.config_name, files.config, outside(directory));
        const schema::Config paths = settings.config.value_or(schema::Config{});
        for (const auto& path : paths.journeys) places.push_back(directory / path);
        if (auto read = read_templates(directory / paths.templates, files); !read)
            return read.error();
        if (auto models = read_file(directory / paths.models)) {
            files.models_name = (directory / paths.models).string();
            files.models = std::move(*models);
        }
        if (auto actions = read_file(directory / paths.actions)) {
            files.actions_name = (directory / paths.actions).string();
            files.actions = std::move(*actions);
        }
        if (auto events = read_file(directory / paths.events)) {
            files.events_name = (directory / paths.events).string();
            files.events = std::move(*events);
        }
    }
    if (journeys) places = {*journeys};
    for (const auto& place : places)
        if (auto read = read_journeys(place, files); !read) return read.error();
    return files;
}

std::string to_text(const Files& files) {
    nlohmann::json json;
    json["config_name"] = files.config_name;
    json["config"] = files.config;
    if (files.events) {
        json["events_name"] = files.events_name;
        json["events"] = *files.events;
    }
    if (files.actions) {
        json["actions_name"] = files.actions_name;
        json["actions"] = *files.actions;
    }
    if (files.models) {
        json["models_name"] = files.models_name;
        json["models"] = *files.models;
    }
    if (files.rewards) json["rewards"] = *files.rewards;
    json["journeys"] = files.journeys;
    json["templates"] = files.templates;
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

journeys::Result<Files> files_from_text(std::string_view text) {
    try {
        const auto json = nlohmann::json::parse(text);
        Files files;
        files.config_name = json.at("config_name");
        files.config = json.at("config");
        if (json.contains("events")) {
            files.events_name = json.at("events_name");
            files.events = json.at("events").get<std::string>();
        }
        if (json.contains("actions")) {
            files.actions_name = json.at("actions_name");
            files.actions = json.at("actions").get<std::string>();
        }
        if (json.contains("models")) {
            files.models_name = json.at("models_name");
            files.models = json.at("models").get<std::string>();
        }
        if (json.contains("rewards")) files.rewards = json.at("rewards").get<std::string>();
        files.journeys = json.at("journeys").get<std::map<std::string, std::string>>();
        files.templates = json.at("templates").get<std::map<std::string, std::string>>();
        return files;
    } catch (const nlohmann::json::exception& error) { // The border: nlohmann throws, we return.
        return Error{ErrorCode::invalid_state,
                     std::string{"a stored publication cannot be read: "} + error.what()};
    }
}

std::optional<std::string> newest_rewards(const std::vector<std::string>& publications) {
    std::optional<std::string> newest;
    journeys::Timestamp settled{};
    for (const auto& text : publications) {
        auto files = files_from_text(text);
        if (!files || !files->rewards) continue;
        const auto learned = schema::parse_rewards(*files->rewards);
        if (!learned || learned->settled_until <= settled) continue;
        settled = learned->settled_until;
        newest = std::move(files->rewards);
    }
    return newest;
}

std::uint64_t publication_of(const Files& files) { return journeys::hash(to_text(files)) | 1; }

Compiled compile(const Files& files, const CompileOptions& options) {
    Compiled result;
    schema::LoadContext context;
    journeys::Settings settings;
    const bool has_config = !files.config_name.empty();
    if (has_config) {
        auto loaded =
            schema::load_settings(files.config_name, files.config, outside(options.directory));
        append(result.mistakes, std::move(loaded.mistakes));
        result.config = std::move(loaded.config);
        if (result.config) {
            settings = result.config->settings;
            context.settings = &result.config->settings;
        }
    } else {
        settings.assume_permission = true;
    }
    settings.all_live = options.trial;
    if (options.seed) settings.seed = *options.seed;

    if (has_config) {
        if (files.events) {
            auto events = schema::load_events(files.events_name, *files.events);
            append(result.mistakes, std::move(events.mistakes));
            context.events = events.names();
        } else {
            context.events.emplace();
        }
    }
    std::map<std::string, schema::TemplateText> texts;
    std::map<std::string, std::shared_ptr<const journeys::Template>> templates;
    for (const auto& [name, text] : files.templates) {
        auto parsed = journeys::Template::parse(text);
        if (!parsed) {
            result.mistakes.push_back({name + ".mustache", 1, 1, parsed.error().detail, false});
            continue;
        }
        texts[name] = {text, *parsed};
        templates[name] = *parsed;
    }
    if (has_config) context.templates = &texts;

    journeys::models::ModelSetPtr models;
    if (files.models) {
        if (auto parsed = schema::parse_models(*files.models))
            models = std::make_shared<const journeys::models::ModelSet>(std::move(*parsed));
        else
            result.mistakes.push_back({files.models_name, 1, 1, parsed.error().detail, false});
    }
    context.models_loaded = models && models->has_purchases;

    schema::ActionsFile offers;
    if (files.actions) {
        offers = schema::load_actions(files.actions_name, *files.actions, context);
        append(result.mistakes, std::move(offers.mistakes));
    }
    if (has_config) context.actions = &offers.steps;

    std::vector<journeys::JourneyPtr> current;
    for (const auto& [name, text] : files.journeys) {
        auto loaded = schema::load_journey(name, text, context);
        append(result.mistakes, std::move(loaded.mistakes));
        if (!loaded.journey) continue;
        const auto before = std::ranges::find_if(options.known, [&](const auto& known) {
            return known->id == loaded.journey->id && known->version == loaded.journey->version;
        });
        current.push_back(before == options.known.end()
                              ? std::move(loaded.journey)
                              : journeys::sharing_counts(loaded.journey, **before));
    }
    append(result.mistakes, schema::check_together(current));
    if (has_errors(result.mistakes)) return result;
    if (!has_config) offer_as_named(offers, current);
    if (files.rewards) {
        const auto learned = schema::parse_rewards(*files.rewards);
        if (!learned) {
            result.mistakes.push_back({"learned rewards", 1, 1, learned.error().detail, false});
            return result;
        }
        journeys::learn(offers, *learned);
    }
    result.catalog = std::make_shared<const journeys::Catalog>(
        publication_of(files), std::move(settings), std::move(current), options.known,
        std::move(templates), std::move(models),
        std::make_shared<const journeys::Offers>(std::move(offers)), options.recommendations);
    return result;
}

} // namespace runtime
