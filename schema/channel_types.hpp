/// Which types of channels there are, and what each of them is told in sojourn.yaml. How a provider
/// is called stands in `runtime/channels/`.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace schema {

struct ChannelKey {
    enum class Form : std::uint8_t { text, secret, url, flag, whole_number };
    std::string_view name;
    Form form = Form::text;
    bool required = false;
    std::string_view what; ///< For whoever has left it out.
};

struct ChannelType {
    std::string_view name;
    std::vector<ChannelKey> keys; ///< Beside those that every type has.
    bool deduplicates = false;    ///< It honours our id, so an unknown outcome may be tried again.
    bool renders = false;         ///< Templates without an id of the provider's are rendered here.
    bool needs_from = false;
};

const std::vector<ChannelType>& channel_types();
const ChannelType* find_channel_type(std::string_view name);

} // namespace schema
