#include "schema/journey_yaml.hpp"

#include "journeys/ids.hpp"
#include "schema/journey_reader.hpp"
#include "schema/vars_yaml.hpp"

#include <algorithm>

namespace schema {

using namespace journeys;

/// The order of keys is
/// kept where it means something: the shares of a split are laid out in the order of its variants.
void append_canonical(std::string& out, const YamlNode& node, bool keep_order, bool is_root) {
    const auto put = [&](char kind, std::string_view text) {
        out += kind;
        out += std::to_string(text.size());
        out += ':';
        out += text;
    };
    switch (node.kind) {
    case YamlNode::Kind::empty: put('n', {}); return;
    case YamlNode::Kind::text: put('t', node.text); return;
    case YamlNode::Kind::list:
        out += '[';
        for (const auto& item : node.items) append_canonical(out, item, false, false);
        out += ']';
        return;
    case YamlNode::Kind::map: break;
    }
    static const std::set<std::string_view> left_out{"title", "owner", "tags", "notes", "watch"};
    std::vector<const std::pair<YamlNode, YamlNode>*> entries;
    for (const auto& entry : node.entries)
        if (!is_root || !left_out.contains(entry.first.text)) entries.push_back(&entry);
    if (!keep_order)
        std::stable_sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) {
            return a->first.text < b->first.text;
        });
    out += '{';
    for (const auto* entry : entries) {
        put('k', entry->first.text);
        append_canonical(out, entry->second, entry->first.text == "variants", false);
    }
    out += '}';
}

LoadResult load_journey(const std::string& file, std::string_view text,
                        const LoadContext& context) {
    return JourneyReader{file, text, context}.read();
}

std::optional<std::string> journey_id_in(std::string_view text) {
    Mistakes ignored{{}};
    const auto document = YamlDocument::parse(text, ignored);
    const auto* id = document.root().find("id");
    if (id == nullptr || !id->is_text() || id->text.empty()) return std::nullopt;
    return id->text;
}

std::vector<Mistake> check_together(std::span<const JourneyPtr> journeys) {
    std::vector<Mistake> all;
    std::map<std::string, const Journey*> by_id;
    for (const auto& journey : journeys) {
        const auto [other, is_new] = by_id.emplace(journey->id, journey.get());
        if (!is_new)
            all.push_back(
                {journey->file, 1, 1,
                 "the id " + quoted(journey->id) + " is already that of " + other->second->file,
                 false});
    }
    return all;
}

JourneyReader::JourneyReader(const std::string& file, std::string_view text,
                             const LoadContext& context)
    : mistakes_(file), document_(YamlDocument::parse(text, mistakes_)), context_(context) {
    journey_->file = file;
}

LoadResult JourneyReader::read() {
    if (document_.root().is_empty()) {
        if (!mistakes_.has_errors())
            mistakes_.add({1, 1}, "the file is empty; a journey has id, enter and steps");
    } else {
        read_head(document_.root());
        link_steps();
        link_decisions();
        check_whole();
    }
    journey_->properties_read.assign(properties_read_.begin(), properties_read_.end());
    if (properties_read_.contains("*")) journey_->properties_read = {"*"};
    std::string canonical = "journey 1 ";
    append_canonical(canonical, document_.root(), false, true);
    // What a run may stand at is part of its version, wherever it was written.
    for (const auto& inlined : inlined_) canonical += inlined.steps->canonical;
    journey_->version = hash(canonical);

    LoadResult result;
    if (!mistakes_.has_errors()) result.journey = journey_;
    result.mistakes = mistakes_.take();
    return result;
}

void JourneyReader::read_head(const YamlNode& root) {
    const auto head = section(root, "journey");
    if (!head.is_map()) return;
    auto& journey = *journey_;
    if (const auto* node = head.require("id", "the journey's name: a-z, 0-9 and -")) {
        const auto id = values_.text(*node, "an id: a-z, 0-9 and -").value_or("");
        const auto is_allowed = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        };
        if (!std::all_of(id.begin(), id.end(), is_allowed) || id.size() > 64)
            mistakes_.add(node->at, quoted(id) + " is no id: a-z, 0-9 and -, at most 64 of them");
        journey.id = id;
    }
    if (const auto* node = head.find("title"))
        journey.title = values_.text(*node, "a title").value_or("");
    if (const auto* node = head.find("owner"))
        journey.owner = values_.text(*node, "a name").value_or("");
    if (const auto* node = head.find("notes"))
        journey.notes = values_.text(*node, "a text").value_or("");
    if (const auto* node = head.find("tags"); node != nullptr && !node->is_empty())
        for (auto& [tag, at] : values_.texts(*node, "a list of words"))
            journey.tags.push_back(std::move(tag));
    if (const auto* node = head.find("vars")) // Before the first expression.
        vars_ = std::make_shared<const std::string>(read_vars(*node, mistakes_));
    if (const auto* node = head.find("status"))
        journey.status = values_
                             .one_of<Status>(*node, {{"draft", Status::draft},
                                                     {"test", Status::test},
                                                     {"live", Status::live},
                                                     {"closed", Status::closed},
                                                     {"paused", Status::paused},
                                                     {"archived", Status::archived}})
                             .value_or(Status::draft);
    if (const auto* node = head.find("priority"))
        journey.priority = static_cast<int>(values_.integer(*node, 0, 100).value_or(50));
    if (const auto* node = head.find("exclusive")) journey.exclusive = read_name(*node, "a group");
    if (const auto* node = head.find("holdout")) journey.holdout = values_.share(*node).value_or(0);
    if (const auto* node = head.find("rollout"))
        journey.enter.rollout = values_.share(*node).value_or(1);
    if (const auto* node = head.find("from")) read_bound(*node, journey.enter.from);
    if (const auto* node = head.find("until")) read_bound(*node, journey.enter.until);
    if (journey.enter.from && journey.enter.until && *journey.enter.from >= *journey.enter.until)
        mistakes_.add(head.find("until")->at, "until is not after from: nobody would ever enter");
    warn_of_past(head.find("until"));
    warn_of_share(head.find("holdout"), journey.holdout, 1,
                  "everybody is held out, so nobody gets "
                  "a message");
    warn_of_share(head.find("rollout"), journey.enter.rollout, 0, "nobody is let in");
    if (const auto* node = head.find("watch")) read_watch(*node);
    if (const auto* node = head.find("on_publish"))
        journey.on_publish = values_
                                 .one_of<OnPublish>(*node, {{"pin", OnPublish::pin},
                                                            {"migrate", OnPublish::migrate},
                                                            {"exit", OnPublish::exit}})
                                 .value_or(OnPublish::pin);
    if (const auto* node = head.require("enter", "when and for whom a run begins"))
        read_enter(*node);
    if (const auto* node = head.find("exit")) read_exits(*node);
    if (const auto* node = head.find("goal")) read_goal(*node);
    if (const auto* node = head.find("goals")) {
        if (head.has("goal")) mistakes_.add(node->at, "give either goal or goals");
        if (!node->is_list())
            mistakes_.add(node->at, "goals is a list; a single one is written goal:");
        for (const auto& item : node->items) read_goal(item);
    }
    if (const auto* node = head.require("steps", "a list of what happens")) {
        if (node->is_list() && node->items.empty())
            mistakes_.add(node->at, "steps is empty: a run would end where it begins");
        read_steps(*node, "", end_of_run);
    }
}

} // namespace schema
