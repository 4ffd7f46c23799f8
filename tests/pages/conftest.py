"""What every page test needs: nothing that the app kept for an earlier test, such as its store."""

import pytest
import streamlit as st


@pytest.fixture(autouse=True)
def _fresh_server_caches() -> None:
    st.cache_resource.clear()
    st.cache_data.clear()
